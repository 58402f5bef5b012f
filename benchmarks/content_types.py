"""Fit the model that suggests a content type, and say how often it is right on footage that it never saw.

python benchmarks/content_types.py MANIFEST [--stills MANIFEST] [--rendered 40]
    [--write configs/base/content_model.yaml]

MANIFEST: rows with path, split and content_type; "train" is fitted on, "eval" is only judged. --stills: a manifest of
pictures (path, content_type), each looked at twice. --rendered: how many rendered screens to fit on.
Features are taken of two consecutive frames; to fit, also of frames that were made worse: shrunk, and coded as JPEG.
"""

import argparse
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from omegaconf import OmegaConf
from PIL import Image
from rich.progress import track
from scipy.optimize import minimize

from vsr_lab.core.clip import Frames
from vsr_lab.curation.content import FEATURES, ContentModel, measure
from vsr_lab.footage.tables import read_rows
from vsr_lab.synthesis.screen import render_screen
from vsr_lab.video import open_footage

USED = [name for name in FEATURES if name not in {"motion", "warmth"}]  # how fast and how warm is no matter of kind
LOOKS = 12  # at a clip
SCREEN = "screen_capture"


@dataclass(frozen=True)
class Seen:
    """Features of one look at a clip. source: what is held out together; plain: whether the frames are as they are."""

    kind: str
    source: str
    clip: str
    plain: bool
    features: np.ndarray


def main() -> None:
    """Fit, judge, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--stills", type=Path)
    parser.add_argument("--rendered", type=int, default=40)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    seen = list(_clips(options.manifest, "train", worse=True))
    seen += _stills(options.stills) if options.stills else []
    seen += _rendered(options.rendered)
    settings = fit(seen)
    guesses = _held_out(seen)
    settings["temperature"] = _temperature(guesses)
    settings["sure"] = _sure(guesses, settings["temperature"])
    model = ContentModel(**settings)
    print(f"temperature {settings['temperature']:.2f}, sure from {settings['sure']:.2f}")
    _judge("train, each source held out in its turn", [s for s in seen if s.plain], None, guesses, settings)
    _judge("eval, never fitted on", list(_clips(options.manifest, "eval", worse=False)), model, {}, settings)
    if options.write:
        kinds = tuple(model.kinds)
        head = f"# Model of content types, written by benchmarks/content_types.py. Kinds: {kinds}\n"
        options.write.write_text(head + OmegaConf.to_yaml(OmegaConf.create(_rounded(settings))), encoding="utf-8")


def _clips(manifest: Path, split: str, worse: bool) -> Iterator[Seen]:
    rows = [row for row in read_rows(manifest) if row["split"] == split and row["content_type"]]
    for row in track(rows, f"looking at {split}"):
        footage = open_footage(manifest.parent / row["path"])
        source = Path(row["path"]).stem.split("_")[0]
        for number in np.linspace(0, footage.frames - 2, LOOKS).astype(int):
            pair = footage.read(int(number), int(number) + 2).eight_bit()
            yield from _looks(row["content_type"], source, row["path"], pair, worse)


def _stills(manifest: Path) -> list[Seen]:
    found: list[Seen] = []
    for row in track(read_rows(manifest), "looking at stills"):
        picture = np.asarray(Image.open(manifest.parent / row["path"]).convert("RGB"))
        rng = np.random.default_rng(len(found))
        for _ in range(2):  # as a camera would frame it, at 720p, and move over it
            height, width = min(720, picture.shape[0] - 4), min(1280, picture.shape[1] - 4)
            top, left = (int(rng.integers(0, n - m - 3)) for n, m in zip(picture.shape, (height, width), strict=False))
            y, x = (int(n) for n in rng.integers(0, 4, 2))
            pair = np.stack([picture[t : t + height, s : s + width] for t, s in ((top, left), (top + y, left + x))])
            found += _looks(row["content_type"], row["path"], row["path"], pair)
    return found


def _rendered(count: int) -> list[Seen]:
    found: list[Seen] = []
    for seed in track(range(count), "rendering screens"):
        frames = list(render_screen(seed, 30, height=720, width=1280, zoom=(1.0, 1.5, 2.0)[seed % 3]))
        found += _looks(SCREEN, f"rendered {seed}", f"rendered {seed}", np.stack(frames[-2:]))
    return found


def _looks(kind: str, source: str, clip: str, pair: Frames, worse: bool = True) -> Iterator[Seen]:
    rng = np.random.default_rng(abs(int(pair[:, ::7, ::7].sum())) % 2**32)
    quality = int(rng.integers(30, 80))
    made = {"plain": pair}
    if worse:
        made["coded"] = np.stack([_jpeg(frame, quality) for frame in pair])
        made["shrunk"] = np.stack([cv2.resize(f, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for f in pair])
    for how, (first, second) in made.items():
        small = cv2.resize(first, (160, 90), interpolation=cv2.INTER_AREA)
        features = measure(first, second, (small, small))
        yield Seen(kind, source, clip, how == "plain", features)


def _jpeg(frame: Frames, quality: int) -> Frames:
    data = io.BytesIO()
    Image.fromarray(frame).save(data, "JPEG", quality=quality)
    return np.asarray(Image.open(data))


def fit(seen: list[Seen]) -> dict:
    """Weights of the logistic model, by maximum likelihood with a ridge of 0.02."""
    kinds = sorted({s.kind for s in seen})
    raw = np.array([s.features for s in seen])[:, [FEATURES.index(name) for name in USED]]
    weight = _balance(seen)
    mean = weight @ raw
    deviation = np.sqrt(weight @ np.square(raw - mean)) + 1e-6
    z = np.concatenate([((raw - mean) / deviation).clip(-3, 3), np.ones((len(raw), 1))], 1)
    truth = np.array([kinds.index(s.kind) for s in seen])

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        table = flat.reshape(len(kinds), -1)
        logits = z @ table.T
        chances = np.exp(logits - logits.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        ridge = table * ([0.02] * len(USED) + [0])
        slope = chances - np.eye(len(kinds))[truth]
        value = -float(weight @ np.log(chances[np.arange(len(z)), truth] + 1e-12)) + float((ridge * table).sum()) / 2
        return value, ((slope * weight[:, None]).T @ z + ridge).ravel()

    table = minimize(loss, np.zeros(len(kinds) * z.shape[1]), jac=True, method="L-BFGS-B").x.reshape(len(kinds), -1)
    shape = zip(USED, mean, deviation, strict=True)
    return {
        "features": {name: {"mean": float(m), "deviation": float(d)} for name, m, d in shape},
        "kinds": {
            kind: {"bias": float(row[-1])} | dict(zip(USED, map(float, row[:-1]), strict=True))
            for kind, row in zip(kinds, table, strict=True)
        },
        "temperature": 1.0,
        "sure": 0.5,
    }


def _balance(seen: list[Seen]) -> np.ndarray:
    """Weights that sum to 1: kinds alike, sources of a kind by the root of how much there is of them."""
    count = {key: sum((s.kind, s.source) == key for s in seen) ** 0.5 for key in {(s.kind, s.source) for s in seen}}
    total = {kind: sum(c for (k, _), c in count.items() if k == kind) for kind, _ in count}
    kinds = len(total)
    return np.array([1 / kinds / total[s.kind] / count[s.kind, s.source] for s in seen])


def _held_out(seen: list[Seen]) -> dict[str, tuple[str, np.ndarray]]:
    """clip -> its kind and its logits, by a model fitted without its source. Stills and rendered ones go in tenths."""
    sources = sorted({s.source for s in seen})
    many = [source for source in sources if " " in source or "/" in source]
    folds = [[source] for source in sources if source not in many] + [many[i::10] for i in range(10) if many[i::10]]
    found: dict[str, tuple[str, np.ndarray]] = {}
    for fold in track(folds, "holding out"):
        settings = fit([s for s in seen if s.source not in fold])
        model = ContentModel(**{**settings, "temperature": 1.0, "sure": 0.0})
        for clip in sorted({s.clip for s in seen if s.source in fold}):
            looks = [s for s in seen if s.clip == clip and s.plain]
            found[clip] = looks[0].kind, np.log(model.probabilities(np.array([s.features for s in looks])) + 1e-12)
    return found


def _chances(logits: np.ndarray, temperature: float) -> np.ndarray:
    chances = np.exp((logits - logits.max()) / temperature)
    return chances / chances.sum()


def _temperature(guesses: dict[str, tuple[str, np.ndarray]]) -> float:
    """The one under which what was held out is likeliest."""
    kinds = sorted({kind for kind, _ in guesses.values()})
    grid = np.geomspace(0.5, 8, 41)
    losses = [
        -np.mean([np.log(_chances(logits, t)[kinds.index(kind)] + 1e-12) for kind, logits in guesses.values()])
        for t in grid
    ]
    return float(grid[int(np.argmin(losses))])


def _sure(guesses: dict[str, tuple[str, np.ndarray]], temperature: float) -> float:
    """The least confidence from which 95 % of held-out suggestions are right."""
    kinds = sorted({kind for kind, _ in guesses.values()})
    judged = [(_chances(logits, temperature), kinds.index(kind)) for kind, logits in guesses.values()]
    for threshold in np.arange(0.5, 0.96, 0.05):
        right = [int(c.argmax()) == truth for c, truth in judged if c.max() >= threshold]
        if right and np.mean(right) >= 0.95:
            return float(threshold)
    return 0.95


def _judge(title: str, seen: list[Seen], model: ContentModel | None, guesses: dict, settings: dict) -> None:
    """Accuracy by look (where there is a model) and by clip, and what was told wrong."""
    kinds = list(settings["kinds"])
    if model:
        looks = [(model.probabilities(s.features[None]), s.kind) for s in seen]
        right = [kinds[int(c.argmax())] == kind for c, kind in looks]
        sure = [r for r, (c, _) in zip(right, looks, strict=True) if c.max() >= model.sure]
        print(f"{title}: {np.mean(right):.3f} of {len(right)} looks right; {len(sure)} sure, {np.mean(sure):.3f} right")
        clips = {c: [s for s in seen if s.clip == c] for c in sorted({s.clip for s in seen})}
        told = {c: (g[0].kind, model.probabilities(np.array([s.features for s in g]))) for c, g in clips.items()}
    else:
        told = {c: (kind, _chances(logits, settings["temperature"])) for c, (kind, logits) in guesses.items()}
    right = [kinds[int(c.argmax())] == kind for kind, c in told.values()]
    sure = [r for r, (_, c) in zip(right, told.values(), strict=True) if c.max() >= settings["sure"]]
    print(f"{title}: {sum(right)} of {len(right)} clips right; {len(sure)} sure, {sum(sure)} of them right")
    for clip, (kind, chances) in told.items():
        if kinds[int(chances.argmax())] != kind or model:
            print(f"  {clip}: {kind}, told {kinds[int(chances.argmax())]} {chances.max():.2f}")


def _rounded(node: object) -> object:
    if isinstance(node, dict):
        return {key: _rounded(value) for key, value in node.items()}
    return float(f"{node:.4g}") if isinstance(node, float) else node


if __name__ == "__main__":
    main()
