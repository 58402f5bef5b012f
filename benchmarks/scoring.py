"""Scoring: PSNR and SSIM against scikit-image; four candidates in one pass against scripts of separate tools."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import cv2
import lpips
import numpy as np
import piq
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from timing import show, side_by_side
from torch import Tensor

import vsr_lab
from vsr_lab import metrics
from vsr_lab.core.clip import luma, quantise, to_frames
from vsr_lab.core.perceptual import PerceptualNet
from vsr_lab.core.records.evaluation import Summary
from vsr_lab.degradations import ResizeDown
from vsr_lab.deployment.export import rollout_clip
from vsr_lab.evaluation.candidates import frames as read_frames
from vsr_lab.evaluation.protocol import Protocol
from vsr_lab.metrics import NETS, perceptual, psnr, ssim
from vsr_lab.models import Interpolation
from vsr_lab.video import VideoWriter

FRAMES, SIZE, ROUNDS = 8, (360, 640), 3
_METHODS = ("nearest", "bilinear", "bicubic", "lanczos")
_MEASURED = ("psnr", "ssim", "lpips", "tlp", "tof", "warp_error")


def main() -> None:
    """Print milliseconds a frame and ratios."""
    hr = quantise(0.1 + 0.8 * rollout_clip(FRAMES, *SIZE))  # with noise, no output equals a white or black frame
    lr = ResizeDown(2).apply(hr, {})
    _beside_skimage(hr, quantise(Interpolation(2)(lr[None]))[0])
    model = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False).eval()  # speed does not depend on the weights
    net = PerceptualNet(lpips.LPIPS(net="alex", pnet_rand=True, verbose=False))
    net._model.load_state_dict(model.state_dict())
    with (
        tempfile.TemporaryDirectory() as name,
        torch.inference_mode(),
        patch.dict(NETS, lpips=lambda: net),
        patch.object(perceptual, "lpips_net", lambda: net),
    ):
        root = Path(name)
        _write(root / "hr/clip.mkv", hr)
        for method in _METHODS:
            sr = Interpolation(2, method)(lr[None])[0]
            _write(root / method / "clip.mkv", sr + 0.02 * torch.rand_like(sr))
        protocol = Protocol("bench", "", 2, ResizeDown(2), metrics={m: getattr(metrics, m) for m in _MEASURED})
        candidates = {root / "judged" / m: read_frames(str(root / m)) for m in _METHODS}
        judge = partial(vsr_lab.evaluate, suite=str(root / "hr"), protocol=protocol, save_frames=0)

        def separate() -> list[dict[str, list[float]]]:
            return [_separate(root / "hr/clip.mkv", root / m / "clip.mkv", model) for m in _METHODS]

        ways = {
            "in one pass": lambda: judge(candidates),
            "one by one": lambda: [judge({folder: one}) for folder, one in candidates.items()],
            "separate tools": separate,
        }
        seconds = side_by_side(ways, rounds=ROUNDS, clock=time.process_time)
        _check(judge(candidates), separate())
    title = f"four candidates: {', '.join(_MEASURED)} (CPU time)"
    show(title, seconds, "separate tools", FRAMES * len(_METHODS), "frame")


def _check(ours: Mapping[Path, Summary], theirs: Sequence[Mapping[str, list[float]]]) -> None:
    """Both must have computed the same. Masks differ in pixels where a condition is met by a rounding error."""
    for summary, values in zip(ours.values(), theirs, strict=True):
        for metric, found in values.items():
            np.testing.assert_allclose(summary.metrics[metric].mean, np.mean(found), rtol=2e-3, err_msg=metric)


def _beside_skimage(hr: Tensor, sr: Tensor) -> None:
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


def _write(path: Path, clip: Tensor) -> None:
    path.parent.mkdir()
    with VideoWriter(path, SIZE, Fraction(25)) as writer:
        writer.write(to_frames(clip), [t / 25 for t in range(len(clip))])


def _separate(hr: Path, sr: Path, model: lpips.LPIPS) -> dict[str, list[float]]:
    """Four scripts, each of which decodes both videos: piq, the package lpips, and OpenCV for two metrics."""
    return {**_fidelity(hr, sr), **_perceptual(hr, sr, model), **_tof(hr, sr), **_warp_error(hr, sr)}


def _decoded(path: Path) -> Iterator[np.ndarray]:
    video = cv2.VideoCapture(str(path))
    while (read := video.read())[0]:
        yield cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB)


def _tensor(frame: np.ndarray) -> Tensor:
    return torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 255


def _fidelity(hr: Path, sr: Path) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"psnr": [], "ssim": []}
    for truth, frame in zip(_decoded(hr), _decoded(sr), strict=True):
        a, b = (luma(_tensor(each)).float() for each in (frame, truth))
        found["psnr"].append(float(piq.psnr(a, b, data_range=255)))
        found["ssim"].append(float(piq.ssim(a, b, data_range=255, downsample=False)))
    return found


def _perceptual(hr: Path, sr: Path, model: lpips.LPIPS) -> dict[str, list[float]]:
    def distance(a: np.ndarray, b: np.ndarray) -> float:
        return float(model(_tensor(a), _tensor(b), normalize=True))

    frames = list(zip(_decoded(hr), _decoded(sr), strict=True))
    changes = [distance(a, b) - distance(x, y) for (a, x), (b, y) in pairwise(frames)]
    return {"lpips": [distance(x, a) for a, x in frames], "tlp": [100 * abs(change) for change in changes]}


def _tof(hr: Path, sr: Path) -> dict[str, list[float]]:
    pairs = pairwise(zip(_decoded(hr), _decoded(sr), strict=True))
    errors = [_flow(a, b) - _flow(x, y) for (a, x), (b, y) in pairs]
    return {"tof": [float(np.linalg.norm(error, axis=-1).mean()) for error in errors]}


def _warp_error(hr: Path, sr: Path) -> dict[str, list[float]]:
    """With the occlusion mask of Lai et al. 2018."""
    found: list[float] = []
    for (a, x), (b, y) in pairwise(zip(_decoded(hr), _decoded(sr), strict=True)):
        forward, backward = _flow(a, b), _flow(b, a)
        returned, warped = _warped(forward, backward), _warped(x.astype(np.float32), backward)
        square = (backward**2).sum(-1)
        mask = ((returned + backward) ** 2).sum(-1) <= 0.01 * ((returned**2).sum(-1) + square) + 0.5
        edges = [np.diff(backward, axis=axis, append=backward.take([-1], axis)) for axis in (0, 1)]
        mask &= sum((edge**2).sum(-1) for edge in edges) <= 0.01 * square + 0.002
        found.append(float(((y - warped) ** 2)[mask].mean() / 65.025))
    return {"warp_error": found}


def _flow(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    gray = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (a, b))
    return cv2.calcOpticalFlowFarneback(*gray, None, 0.5, 3, 15, 3, 5, 1.2, 0)


def _warped(image: np.ndarray, flow: np.ndarray) -> np.ndarray:
    rows, columns = np.indices(flow.shape[:2], np.float32)
    places = columns + flow[..., 0], rows + flow[..., 1]
    return cv2.remap(image, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


if __name__ == "__main__":
    main()
