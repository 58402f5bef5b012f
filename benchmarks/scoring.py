"""Scoring: PSNR and SSIM against scikit-image; four candidates in step against one by one."""

import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from timing import show, side_by_side

from vsr_lab.core.clip import luma, quantise
from vsr_lab.degradations import ResizeDown
from vsr_lab.deployment.export import rollout_clip
from vsr_lab.evaluation.candidates import NetworkCandidate
from vsr_lab.evaluation.protocol import Pair, Protocol
from vsr_lab.evaluation.scoring import score_clip
from vsr_lab.metrics import flicker, psnr, ssim, tof
from vsr_lab.models import Interpolation

FRAMES = 8


def main() -> None:
    """Print milliseconds a frame and ratios."""
    hr = quantise(rollout_clip(FRAMES, 360, 640))
    lr = ResizeDown(2).apply(hr, {})
    sr = quantise(Interpolation(2)(lr[None]))[0]
    pairs = list(zip(luma(sr)[:, 0].numpy(), luma(hr)[:, 0].numpy(), strict=True))
    options = {"data_range": 255, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    seconds = side_by_side(
        {
            "vsr_lab": lambda: (psnr(sr[None], hr[None], "y"), ssim(sr[None], hr[None], "y")),
            "scikit-image": lambda: [
                (peak_signal_noise_ratio(b, a, data_range=255), structural_similarity(a, b, **options))
                for a, b in pairs
            ],
        },
        rounds=5,
    )
    show("PSNR-Y and SSIM-Y, 640x360", seconds, "scikit-image", FRAMES, "frame")

    metrics = {"psnr": psnr, "flicker": flicker, "tof": tof}
    protocol = Protocol("bench", "", 2, ResizeDown(2), metrics=metrics)
    candidates = [NetworkCandidate(m, Interpolation(2, m)) for m in ("nearest", "bilinear", "bicubic", "lanczos")]

    def judge(some: list[NetworkCandidate]) -> None:
        frames = (Pair(*pair) for pair in zip(lr, hr, strict=True))
        with torch.inference_mode():
            score_clip(
                some, "clip", frames, frames=FRAMES, protocol=protocol, chunk=8, watch=lambda t, pair, made: None
            )

    seconds = side_by_side(
        {"in step": lambda: judge(candidates), "one by one": lambda: [judge([c]) for c in candidates]}, rounds=3
    )
    show("four candidates, PSNR, flicker and tOF", seconds, "one by one", FRAMES * len(candidates), "frame")


if __name__ == "__main__":
    main()
