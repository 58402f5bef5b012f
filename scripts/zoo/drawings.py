"""Drawings to train on and to validate on: crops of the artwork of free games and clip art.

    python scripts/zoo/drawings.py UNPACKED OUT

UNPACKED contains a folder for each Debian package of PACKAGES, unpacked by `apt-get download PACKAGE` and
`dpkg -x PACKAGE_*.deb UNPACKED/PACKAGE`. OUT/drawings.csv is then the manifest of a training
(data.root=OUT/drawings.csv data.clip_frames=1). Its clips are folders of SIDE x SIDE crops, one of each picture, so
their frames do not belong together. Pictures are reduced in size until they are sharp. Transparent areas get a plain
color.
"""

import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vsr_lab.footage.tables import write_rows


class Package(NamedTuple):
    """A Debian package: the split it belongs to, the most pictures that are used, and parts of paths that are not."""

    split: str
    most: int
    without: tuple[str, ...] = ()


PACKAGES = {
    "openclipart-png": Package("train", 1200),  # public domain
    "wesnoth-1.16-data": Package("train", 400, ("/units/", "/terrain/", "/icons/", "/l10n/", "/help/")),
    "tuxpaint-stamps-default": Package("train", 200),
    "fillets-ng-data": Package("train", 100),
    "supertux-data": Package("train", 100, ("/fonts/",)),
    "hedgewars-data": Package("train", 100, ("mask", "Mask")),
    "planetblupi-common": Package("train", 50),
    "xmoto-data": Package("train", 100),
    "teeworlds-data": Package("train", 50),
    "pax-britannica-data": Package("train", 50),
    "pysiogame": Package("train", 100),
    "tuxmath-data": Package("train", 50),
    "tuxtype-data": Package("train", 50),
    "wizznic-data": Package("train", 50),
    "renpy-thequestion": Package("validation", 24),
    "renpy-demo": Package("validation", 24),
    "pingus-data": Package("validation", 24),
    "ardentryst": Package("validation", 24),
    "freedink-data": Package("validation", 24),
}
LARGEST = 500_000  # bytes of a picture: larger ones take long to read
SIDE = 192  # pixels of a crop
CLIP = 50  # crops of a clip, at most
SHARP = 31.0  # dB, PSNR of a picture that was reduced to half its size and enlarged
DETAIL = 12.0  # levels, the least standard deviation of a crop
FACTORS = (1.5, 2.0, 3.0, 4.0)  # by which a picture is reduced; less would leave edges without antialiasing
Picture = NDArray[Any]  # (h, w), (h, w, 3) or (h, w, 4) of uint8, BGR


def main(unpacked: Path, out: Path) -> None:
    """Cut the crops and write the manifest."""
    rows: list[dict[str, object]] = []
    for name, package in PACKAGES.items():
        for number, crop in enumerate(crops(unpacked / name, package)):
            clip = f"{name}_{number // CLIP}"
            folder = out / clip
            if number % CLIP == 0:
                folder.mkdir(parents=True)
                rows.append({"name": clip, "path": clip, "split": package.split, "content_type": "animation"})
            cv2.imwrite(str(folder / f"{number % CLIP:06d}.png"), crop)
        print(f"{name}: {sum(row['name'] == f'{name}_{n}' for n in range(99) for row in rows)} clips", flush=True)
    write_rows(out / "drawings.csv", rows)


def crops(folder: Path, package: Package) -> Iterator[Picture]:
    """At most package.most crops, of the pictures in an order that depends on their names alone."""
    paths = (path for path in folder.rglob("*") if path.suffix in {".png", ".jpg"} and path.is_file())
    paths = (path for path in paths if path.stat().st_size < LARGEST)
    names = {path: path.relative_to(folder).as_posix() for path in paths}
    wanted = [path for path, name in names.items() if not any(part in f"/{name}" for part in package.without)]
    count = 0
    for path in sorted(wanted, key=lambda path: (zlib.crc32(names[path].encode()), names[path])):
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if picture is None or picture.dtype != np.uint8 or min(picture.shape[:2]) < SIDE:
            continue
        crop = sharpest(flattened(picture, np.random.default_rng(zlib.crc32(names[path].encode()))))
        if crop is not None:
            yield crop
            count += 1
        if count == package.most:
            return


def flattened(picture: Picture, rng: np.random.Generator) -> Picture:
    """BGR of a picture over a random color, half of the time black or white."""
    if picture.ndim == 2:
        return cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    if picture.shape[2] == 3:
        return picture
    color = rng.choice([0, 255]) * np.ones(3) if rng.random() < 0.5 else rng.integers(0, 256, 3)
    alpha = picture[..., 3:] / 255
    return np.rint(picture[..., :3] * alpha + color * (1 - alpha)).astype(np.uint8)


def sharpest(picture: Picture) -> Picture | None:
    """The crop with most detail of the least reduced picture that is sharp, or None."""
    for factor in FACTORS:
        size = [round(side / factor) for side in picture.shape[1::-1]]
        if min(size) < SIDE:
            return None
        reduced = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        places = [(y, x) for y in _starts(size[1]) for x in _starts(size[0])]
        crop = max((reduced[y : y + SIDE, x : x + SIDE] for y, x in places), key=lambda crop: float(crop.std()))
        if crop.std() > DETAIL and softness(crop) <= SHARP:
            return crop
    return None


def softness(picture: Picture) -> float:
    """PSNR in dB after halving the size and doubling it again; lower is sharper."""
    half = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    again = cv2.resize(half, picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return cv2.PSNR(picture, again)


def _starts(size: int) -> list[int]:
    return sorted({*range(0, size - SIDE, SIDE), size - SIDE})


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:]))
