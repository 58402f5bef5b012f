"""Folders of images and animated images as a source and as an output."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tests.encoded import write_encoded
from vsr_lab import upscale
from vsr_lab.core.clip import AnyFrames, Frames
from vsr_lab.core.errors import UserError
from vsr_lab.core.ranges import Transfer
from vsr_lab.deployment import Bundle, Encoding
from vsr_lab.deployment.provenance import find_provenance
from vsr_lab.video import ReadOptions, VideoFile, read_video
from vsr_lab.video.disclosure import DISCLOSURE, find_disclosure

LOSSLESS = Encoding(codec="ffv1")


def write_images(folder: Path, frames: AnyFrames, suffix: str = ".png") -> Path:
    """Images named 1, 2, ... 10, which sort differently by characters."""
    folder.mkdir()
    for number, picture in enumerate(frames, 1):
        cv2.imwrite(str(folder / f"it's {number}{suffix}"), np.ascontiguousarray(picture[..., ::-1]))
    return folder


def doubled(frames: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return frames.repeat(2, 1).repeat(2, 2)


@pytest.fixture
def many(frames: Frames) -> Frames:
    return np.concatenate([frames, 255 - frames])


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("deep", [False, True])
def test_images_are_read_in_order_and_depth(
    bundle: Bundle, tmp_path: Path, many: Frames, suffix: str, deep: bool
) -> None:
    given = many.astype(np.uint16) * 256 + 3 if deep else many
    source = write_images(tmp_path / "in", given, suffix)
    upscale(bundle, source, tmp_path / "out.mkv", encoding=LOSSLESS)
    video = VideoFile(tmp_path / "out.mkv")
    assert np.array_equal(video.read(0, video.frames).frames, doubled(given))
    assert video.rate == 25


def test_the_rate_is_that_which_is_set(bundle: Bundle, tmp_path: Path, many: Frames) -> None:
    encoding = Encoding(codec="ffv1", rate=Fraction(24000, 1001), start=0.2, stop=0.5)
    made = upscale(bundle, write_images(tmp_path / "in", many), tmp_path / "out.mkv", encoding=encoding)
    assert (made.plan.video.rate, made.plan.first, made.frames) == ("24000/1001", 5, 7)
    assert made.plan.converted[1:] == ["images at 24000/1001 frames a second, as asked"]


def test_videos_have_their_own_rate(bundle: Bundle, tmp_path: Path, many: Frames) -> None:
    upscale(bundle, write_images(tmp_path / "in", many), tmp_path / "out.mkv", encoding=LOSSLESS)
    with pytest.raises(UserError, match=r"out\.mkv is a video with its own rate"):
        upscale(bundle, tmp_path / "out.mkv", tmp_path / "again.mkv", encoding=Encoding(rate=Fraction(24)))


def write_exr(folder: Path, frames: npt.NDArray[np.float32], precision: str = "half") -> Path:
    """Images of OpenEXR with linear light, (T, H, W, 3) or with premultiplied alpha (T, H, W, 4)."""
    folder.mkdir()
    pixel_format = "gbrpf32le" if frames.shape[-1] == 3 else "gbrapf32le"
    for number, picture in enumerate(frames, 1):
        context: Any = av.CodecContext.create("exr", "w")
        context.height, context.width, context.pix_fmt = *picture.shape[:2], pixel_format
        context.time_base, context.options = Fraction(1, 25), {"format": precision, "compression": "zip16"}
        packets = [*context.encode(av.VideoFrame.from_ndarray(picture, format=pixel_format)), *context.encode(None)]
        (folder / f"{number}.exr").write_bytes(b"".join(bytes(packet) for packet in packets))
    return folder


def read_exr(file: Path) -> npt.NDArray[np.float32]:
    """Linear light of an image, (H, W, C), read without the package."""
    frame: Any = av.CodecContext.create("exr", "r").decode(av.Packet(file.read_bytes()))[0]
    kind = "<f2" if "f16" in frame.format.name else "<f4"
    planes = [np.frombuffer(plane, kind).reshape(frame.height, -1)[:, : frame.width] for plane in frame.planes]
    return np.stack([planes[n] for n in (2, 0, 1, 3)[: len(planes)]], -1).astype(np.float32)


@pytest.mark.parametrize(("transfer", "largest"), [("srgb", 1.0), ("pq", 100.0)])
@pytest.mark.parametrize("precision", ["half", "float"])
@pytest.mark.parametrize("alpha", [False, True])
def test_linear_light_is_kept_to_the_precision_of_half_floats(
    bundle: Bundle, tmp_path: Path, transfer: Transfer, largest: float, precision: str, alpha: bool
) -> None:
    light = largest * np.geomspace(1e-3, 1, 3 * 2 * 21 * 33, dtype=np.float32).reshape(3, 21, 33, 2)
    light = light[..., [0, 1, 0, 1] if alpha else [0, 1, 0]].astype(np.float16).astype(np.float32)
    if alpha:
        light[..., 3] = np.array([0.25, 0.5, 1])[:, None, None]
    source, output = write_exr(tmp_path / "in", light, precision), tmp_path / "out" / "%06d.exr"
    options = ReadOptions(transfer=transfer)
    made = upscale(bundle, source, output, read_options=options)
    assert f"linear light coded by {transfer}: values below 0 and above {largest:.0f} are cut" in made.plan.converted
    written = sorted((tmp_path / "out").iterdir())
    read = np.stack([read_exr(file) for file in written])
    assert read.shape == doubled(light).shape
    wanted = np.concatenate([light[..., :3].clip(0, largest * light[..., 3:]), light[..., 3:]], -1) if alpha else light
    assert np.abs(read / doubled(wanted) - 1).max() < 2e-3
    assert find_disclosure(tmp_path / "out")
    found = find_provenance(tmp_path / "out")
    assert found is not None and found.record.transfer == transfer


def test_linear_light_outside_of_the_transfer_is_cut(bundle: Bundle, tmp_path: Path) -> None:
    light = np.full((2, 16, 16, 3), [-0.5, 7.0, 0.25], np.float32)
    source = write_exr(tmp_path / "in", light)
    upscale(bundle, source, tmp_path / "srgb" / "%d.exr", read_options=ReadOptions(transfer="srgb"))
    assert read_exr(tmp_path / "srgb" / "1.exr")[0, 0] == pytest.approx([0, 1, 0.25], rel=1e-3)
    upscale(bundle, source, tmp_path / "pq" / "%d.exr", read_options=ReadOptions(transfer="pq"))
    assert read_exr(tmp_path / "pq" / "1.exr")[0, 0] == pytest.approx([0, 7, 0.25], rel=1e-3)


@pytest.mark.parametrize(("transfer", "code"), [("srgb", 13), ("pq", 16)])
def test_linear_light_becomes_video_with_its_transfer(
    bundle: Bundle, tmp_path: Path, transfer: Transfer, code: int
) -> None:
    source = write_exr(tmp_path / "in", np.full((3, 16, 16, 3), 0.18, np.float32))
    made = upscale(bundle, source, tmp_path / "out.mkv", encoding=LOSSLESS, read_options=ReadOptions(transfer=transfer))
    assert (made.plan.video.transfer, made.source.bits, made.output.bits) == (code, 16, 16)
    video = VideoFile(tmp_path / "out.mkv", read_options=ReadOptions(tone_map="keep"))
    power = (18 / 10_000) ** 0.1593017578125
    pq = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375  # ST 2084, of 18 cd/m2
    level = {"srgb": 1.055 * 0.18 ** (1 / 2.4) - 0.055, "pq": pq}[transfer]
    assert video.read(0, 1).frames[0, 0, 0] / 65535 == pytest.approx(level, abs=1e-4)


def test_images_become_linear_light_by_the_transfer_that_is_set(bundle: Bundle, tmp_path: Path, many: Frames) -> None:
    source, output = write_images(tmp_path / "in", many), tmp_path / "out" / "%d.exr"
    with pytest.raises(UserError, match=r"is not tagged as sRGB or PQ.* set transfer=srgb"):
        upscale(bundle, source, output)
    made = upscale(bundle, source, output, read_options=ReadOptions(transfer="srgb"))
    assert "pictures decoded to linear light" in made.plan.converted
    level = doubled(many)[2] / 255
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    assert np.abs(read_exr(tmp_path / "out" / "3.exr") - light).max() < 5e-4


def test_linear_light_is_refused_without_a_transfer(bundle: Bundle, tmp_path: Path, many: Frames) -> None:
    source = write_exr(tmp_path / "in", np.full((2, 16, 16, 3), 0.18, np.float32))
    with pytest.raises(UserError, match=r"contains linear light .* set transfer=srgb"):
        upscale(bundle, source, tmp_path / "out.mkv")
    with pytest.raises(UserError, match="convert it to PNG or TIFF"):
        read_video(source)
    with pytest.raises(UserError, match=r"transfer: is only for pictures in linear light, and .* is not"):
        write_images(tmp_path / "it", many)
        upscale(bundle, tmp_path / "it", tmp_path / "out.mkv", read_options=ReadOptions(transfer="pq"))
    with pytest.raises(UserError, match="tone_map=bt2390"):
        ReadOptions(transfer="pq", tone_map="bt2390")


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_animations_keep_their_frames_and_times(bundle: Bundle, tmp_path: Path, many: Frames, suffix: str) -> None:
    gray = np.ascontiguousarray(many[..., :1].repeat(3, 3))  # which the palette of GIF holds
    images = [Image.fromarray(picture) for picture in gray]
    durations = [40, 200, *[40] * 14]
    source = tmp_path / f"moving{suffix}"
    images[0].save(source, save_all=True, append_images=images[1:], duration=durations, lossless=True)
    upscale(bundle, source, tmp_path / "out.mkv", encoding=LOSSLESS)
    video = VideoFile(tmp_path / "out.mkv")
    assert np.array_equal(video.read(0, video.frames).frames, doubled(gray))
    assert video.probe.timestamps == pytest.approx(np.cumsum([0, *durations[:-1]]) / 1000, abs=1e-3)


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("deep", [False, True])
def test_images_are_written_with_depth_and_disclosure(
    bundle: Bundle, tmp_path: Path, many: Frames, suffix: str, deep: bool
) -> None:
    given = many.astype(np.uint16) * 256 + 3 if deep else many
    source, output = write_images(tmp_path / "in", given), tmp_path / "out" / f"%05d{suffix}"
    made = upscale(bundle, source, output, encoding=Encoding(segment=0.4))
    assert len(made.plan.segments) > 1
    written = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in written] == [f"{number:05d}{suffix}" for number in range(1, 17)]
    read = [np.asarray(cv2.imread(str(file), cv2.IMREAD_UNCHANGED)) for file in written]
    assert np.array_equal(np.stack(read)[..., ::-1], doubled(given))
    if suffix == ".png" or not deep:  # Pillow reads no TIFF of 16 bits and three channels
        with Image.open(written[3]) as image:
            text = image.info["Description"] if suffix == ".png" else image.getexif()[270]
        assert text == DISCLOSURE
    assert find_disclosure(tmp_path / "out")
    found = find_provenance(tmp_path / "out")
    assert found is not None and (found.how, found.record.output.file) == ("bytes", "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "in", "out", "out.provenance.json"]


def test_yuv_becomes_rgb_as_the_plan_says(bundle: Bundle, tmp_path: Path, many: Frames) -> None:
    source = write_encoded(
        tmp_path / "a.mkv", many, np.arange(16) / 25, pixel_format="yuv444p10le", options={"crf": "0"}
    )
    made = upscale(bundle, source, tmp_path / "out" / "%d.png")
    assert made.plan.converted == [
        "4:4:4 10-bit as RGB 16-bit", "images, which do not state the 25 frames a second"
    ]  # fmt: skip
    written = cv2.imread(str(tmp_path / "out" / "16.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(np.asarray(written)[..., ::-1], doubled(VideoFile(source).read(15, 16).frames)[0])


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("x.png", "is not the name of a sequence of images"),
        ("f%d/x.png", "is not the name of a sequence of images"),
        ("50%/%d.png", "is in a folder with % in its name"),
        ("%d%d.png", "is not the name of a sequence of images"),
        ("%s.png", "is not the name of a sequence of images"),
        ("%06d.jxl", "has the suffix"),
    ],
)
def test_names_that_are_no_sequence_are_refused(
    bundle: Bundle, tmp_path: Path, many: Frames, name: str, problem: str
) -> None:
    with pytest.raises(UserError, match=problem):
        upscale(bundle, write_images(tmp_path / "in", many), tmp_path / "out" / name)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["in", "bundle"])
def test_a_folder_with_files_is_never_written_to(bundle: Bundle, tmp_path: Path, many: Frames, name: str) -> None:
    source = write_images(tmp_path / "in", many)
    before = sorted((tmp_path / name).iterdir())
    with pytest.raises(UserError, match=r"is the input, which|is inside the bundle"):
        upscale(bundle, source, tmp_path / name / "%d.png", overwrite=True)
    (tmp_path / "other").mkdir()
    with pytest.raises(UserError, match="other: already exists"):
        upscale(bundle, source, tmp_path / "other" / "%d.png", overwrite=True)
    assert sorted((tmp_path / name).iterdir()) == before


def test_images_without_a_folder_are_refused(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_images(tmp_path / "in", np.zeros((2, 16, 16, 3), np.uint8))
    monkeypatch.chdir(tmp_path)
    for name, problem in (("x.png", "is not the name of a sequence"), ("%d.png", "has no folder")):
        with pytest.raises(UserError, match=problem):
            upscale(bundle, source, name)


@pytest.mark.parametrize("name", ["a.mkv", "deeper/a.mkv", "deeper/%d.png"])
def test_nothing_is_written_among_the_images_of_the_source(bundle: Bundle, tmp_path: Path, name: str) -> None:
    source = write_images(tmp_path / "in", np.zeros((2, 16, 16, 3), np.uint8))
    with pytest.raises(UserError, match="is inside the input folder"):
        upscale(bundle, source, source / name)
    assert len(list(source.iterdir())) == 2


@pytest.mark.parametrize("other", ["gray", "deep"])
def test_images_of_another_kind_than_the_first_are_refused(
    bundle: Bundle, tmp_path: Path, many: Frames, other: str
) -> None:
    source = write_images(tmp_path / "in", many)
    picture = many[2, ..., 0] if other == "gray" else many[2].astype(np.uint16) * 257
    cv2.imwrite(str(source / "it's 3.png"), picture)
    with pytest.raises(UserError, match=r"changes from rgb24 to (gray|rgb48be) at frame 2"):
        upscale(bundle, source, tmp_path / "out.mkv")
    cv2.imwrite(str(source / "it's 1.png"), many[0, ..., 0])
    with pytest.raises(UserError, match="changes from gray to rgb24 at frame 1"):
        upscale(bundle, source, tmp_path / "out.mkv")


def test_an_image_that_is_transparent_after_opaque_ones_is_refused(
    bundle: Bundle, tmp_path: Path, many: Frames
) -> None:
    source = write_images(tmp_path / "in", many)
    half = np.full((*many.shape[1:3], 1), 128, np.uint8)
    cv2.imwrite(str(source / "it's 12.png"), np.concatenate([many[11], half], 2))
    with pytest.raises(UserError, match="is transparent at frame 11, but opaque before"):
        upscale(bundle, source, tmp_path / "out.mkv")


def test_gray_images_have_full_range(bundle: Bundle, tmp_path: Path) -> None:
    white = np.full((2, 16, 16, 3), 255, np.uint8)
    source = write_encoded(tmp_path / "a.mkv", white, [0, 0.04], options={"crf": "0"})
    made = upscale(bundle, source, tmp_path / "out" / "%d.png", encoding=Encoding(pixel_format="gray"))
    written = cv2.imread(str(tmp_path / "out" / "1.png"), cv2.IMREAD_UNCHANGED)
    assert np.asarray(written).min() == 255 and not made.plan.dropped


def test_varying_times_are_refused(bundle: Bundle, tmp_path: Path, many: Frames) -> None:
    source = write_encoded(tmp_path / "a.mkv", many[:4], [0, 0.1, 0.5, 0.6], codec="ffv1", pixel_format="bgr0")
    with pytest.raises(UserError, match="the times of frames, as images have none"):
        upscale(bundle, source, tmp_path / "out" / "%d.png")
