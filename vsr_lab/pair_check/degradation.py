"""Faults of the degradation: an unexplained shift of LR, or another degradation than the user declared."""

from vsr_lab.alignment import SpatialAlignment
from vsr_lab.pair_check.families import EXACT, leaning
from vsr_lab.pair_check.findings import Findings
from vsr_lab.pair_check.identification import LOSSY_TOLERANCE, PROVEN, Declared, Identification, lumas, rank
from vsr_lab.pair_check.kernel import blockiness, noise

TOLERANCE = 0.05  # LR pixels
_TIED = 0.6  # dB


def judge_degradation(
    found: Findings, named: Identification, spatial: SpatialAlignment, *, declared: Declared, linear: bool
) -> None:
    """Test whether LR is shifted or was made by another degradation than declared, and add the faults to the findings.

    Args:
        found: findings to which the faults and a note on how LR was made are added.
        named: the identified degradation.
        spatial: positions of LR pixels on HR.
        declared: scale and degradation according to the user.
        linear: whether LR was downscaled in linear light.
    """
    best, kernel = named.best, named.kernel
    others = sorted((f for f in named.fits.values() if f.family != best.family), key=lambda f: -rank(f))
    tied = [f for f in others if rank(f) > rank(best) - _TIED and best.psnr < EXACT]
    residual = lumas([w.lr for w in named.windows]) - lumas(best.output)
    blocks, grain = blockiness(residual), noise(residual)
    found.measured["degradation"] = {
        "scale": named.scale,
        "family": best.family if named.explained else None,
        "nearest": best.family,
        "psnr": {name: round(fit.psnr, 2) for name, fit in named.fits.items()},
        "shift_lr_pixels": [round(s, 4) for s in named.shift],
        "kernel_centre_hr_pixels": [round(c, 3) for c in kernel.centre],
        "kernel_sigma_hr_pixels": [round(s, 3) for s in kernel.sigma],
        "kernel_residual_levels": round(kernel.residual, 3),
        "tied": [f.family for f in tied],
    }
    found.measured["residual"] = {
        "psnr": round(best.psnr, 2),
        "blockiness": round(blocks, 3),
        "noise_levels": round(grain, 3),
    }
    _judge_shift(found, named, spatial)
    _judge_family(found, named, declared)
    if not named.explained:
        found.notes.append(
            f"degradation: none that is known (nearest {best.family}, {best.psnr:.1f} dB); its blur is a Gaussian "
            f"of about sigma {kernel.sigma[0]:.2f} x {kernel.sigma[1]:.2f} HR pixels"
        )
        return
    beside = "".join(f" or {f.family} ({f.psnr:.1f})" for f in tied[:2])
    beside += f", next {others[0].family} {others[0].psnr:.1f}" if others and not tied else ""
    light = " in linear light" if linear else ""
    found.notes.append(f"degradation: {best.family}{light}, {best.psnr:.1f} dB{beside}")
    if best.psnr < EXACT:
        kind = "compressed" if blocks > 1.12 else "noisy or compressed"
        found.notes.append(f"{kind}: residual {best.psnr:.1f} dB, grain {grain:.2f} levels, blockiness {blocks:.2f}")


def _judge_shift(found: Findings, named: Identification, spatial: SpatialAlignment) -> None:
    (y, x), scale, psnr = named.shift, named.scale, named.best.psnr
    tolerance = TOLERANCE if psnr >= 40 else LOSSY_TOLERANCE if psnr >= 33 else 2 * LOSSY_TOLERANCE
    if max(abs(y), abs(x)) <= max(tolerance, 3 * spatial.spread):
        return
    first = (1 - scale) / (2 * scale)
    hint = ""
    for name, place in (("pixel 0 of every", first), ("the last pixel of every", -first)):
        if max(abs(y - place), abs(x - place)) < TOLERANCE:
            hint = f": the phase of keeping {name} {scale}, not of the centred convention"
    size = (
        f"LR shows HR {y:+.3f} rows and {x:+.3f} columns of LR pixels off "
        f"({y * scale:+.2f}, {x * scale:+.2f} HR pixels){hint}"
    )
    value = {"lr_pixels": [round(y, 4), round(x, 4)], "hr_pixels": [round(y * scale, 3), round(x * scale, 3)]}
    found.add("spatial shift", size, "regenerate LR, or sample HR there", value)


def _judge_family(found: Findings, named: Identification, declared: Declared) -> None:
    best = named.best
    if declared.name is None or (declared.name == best.family and named.explained):
        return
    stated = named.fits.get(declared.name)
    if stated is None:
        found.unjudged.append(f"degradation: {declared.name} is random, so LR cannot be compared with it")
        return
    if stated.psnr >= PROVEN:
        return
    if named.explained:
        same_place = not any(named.shift)
        if best.psnr < stated.psnr + 0.2 or (same_place and leaning(named.windows, stated, best) < 0.6):
            return
        size = f"{best.family}, not {declared.name} as declared ({best.psnr:.1f} dB against {stated.psnr:.1f})"
        remedy = f"set degradation={best.family}, or regenerate LR"
    else:
        sigma = named.kernel.sigma
        blur = f"sigma {sigma[0]:.2f} x {sigma[1]:.2f} HR pixels"
        size = f"not {declared.name} as declared ({stated.psnr:.1f} dB); a blur like a Gaussian of {blur}"
        remedy = "regenerate LR"
    psnr = {f.family: round(f.psnr, 2) for f in named.fits.values()}
    found.add("degradation", size, remedy, {"declared": declared.name, "found": best.family, "psnr": psnr})
