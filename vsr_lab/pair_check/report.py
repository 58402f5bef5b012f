"""The files of a check: check.json, and a picture of each faulty pair."""

from collections.abc import Sequence
from pathlib import Path

from vsr_lab.core.files import inside, write_json
from vsr_lab.degradations import Degradation
from vsr_lab.pair_check.findings import Findings
from vsr_lab.pair_check.identification import Declared
from vsr_lab.pair_check.pairing import ShotPair
from vsr_lab.pair_check.picture import write_picture


def write_findings(
    folder: Path,
    pairs: Sequence[ShotPair],
    found: Sequence[Findings],
    *,
    declared: Declared,
    sources: tuple[Path, Path],
    unpaired: Sequence[str],
) -> dict[str, Path]:
    """Write the results of `pair_check`: check.json, and an image NAME.png for each faulty pair.

    Args:
        folder: folder of the files.
        pairs: LR and HR shots.
        found: findings of each pair.
        declared: scale and degradation according to the user.
        sources: files or folders of LR and of HR.
        unpaired: names of clips that only one side has.

    Returns:
        Paths of the files.
    """
    files = {"check": folder / "check.json"}
    report = {
        "schema": 1,
        "lr": str(sources[0]),
        "hr": str(sources[1]),
        "declared": {"degradation": declared.name, "scale": declared.scale},
        "unpaired": unpaired,
        "clips": {findings.clip: findings.as_json() for findings in found},
    }
    write_json(files["check"], report)
    for pair, findings in zip(pairs, found, strict=True):
        if not findings.clean:
            files[findings.clip] = inside(folder, f"{findings.clip}.png")
            write_picture(files[findings.clip], pair, findings, _degradation(findings, declared))
    return files


def _degradation(findings: Findings, declared: Declared) -> Degradation | None:
    """The declared degradation, or the nearest one that was found."""
    measured = findings.measured.get("degradation")
    return declared.families(measured["scale"]).get(declared.name or measured["nearest"]) if measured else None
