"""Coders lose more the harder they press, and never a frame, its place or its size."""

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from vsr_lab.core.clip import Frames, to_frames, to_tensor
from vsr_lab.degradations import Codec, Degradation, Jpeg
from vsr_lab.video.roundtrip import CODECS, roundtrip

QUALITIES = {"h264": (10, 25, 40), "h265": (10, 25, 40), "vp9": (10, 35, 60), "mpeg2": (2, 8, 24), "mpeg4": (2, 8, 24)}


def numbered(frames: int, height: int = 64, width: int = 96) -> Frames:
    """Frames with their own number drawn large, over a gradient, T H W 3."""
    pictures = np.empty((frames, height, width, 3), np.uint8)
    pictures[:] = np.linspace(40, 120, width).astype(np.uint8)[None, None, :, None]
    for number, picture in enumerate(pictures):
        cv2.putText(picture, f"{number:02d}", (8, height - 16), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (230, 220, 60), 4)
    return pictures


def psnr(one: Tensor, two: Tensor) -> float:
    return float(-10 * (one - two).square().mean().log10())


@pytest.mark.parametrize("codec", CODECS)
def test_every_frame_comes_back_at_its_place(codec: str) -> None:
    frames = numbered(20)
    options = CODECS[codec].options(QUALITIES[codec][1], 2, "veryfast")
    coded = roundtrip(frames, codec, options, gop=7)
    assert coded.shape == frames.shape
    distance = np.abs(coded[:, None].astype(float) - frames[None]).mean((2, 3, 4))
    assert distance.argmin(1).tolist() == list(range(20))


@pytest.mark.parametrize("codec", CODECS)
def test_the_same_options_give_the_same_frames(codec: str) -> None:
    frames = numbered(6)
    options = CODECS[codec].options(QUALITIES[codec][1], 1, "veryfast")
    assert np.array_equal(roundtrip(frames, codec, options), roundtrip(frames, codec, options))


@pytest.mark.parametrize("codec", CODECS)
def test_pressing_harder_loses_more(codec: str) -> None:
    clip = to_tensor(numbered(8))
    step = Codec(codec, (1, 60))
    drawn = {"gop": 12, "b_frames": 1, "preset": "veryfast"}
    kept = [psnr(clip, step.apply(clip, {**drawn, "quality": quality})) for quality in QUALITIES[codec]]
    assert kept[0] > kept[1] > kept[2]
    assert kept[0] > kept[2] + 4
    assert kept[0] > 30


@pytest.mark.parametrize("size", [(33, 47), (17, 90), (8, 8), (65, 64)])
@pytest.mark.parametrize("codec", CODECS)
def test_odd_and_tiny_sizes_come_back_as_they_were(codec: str, size: tuple[int, int]) -> None:
    frames = numbered(4, 80, 112)[:, : size[0], : size[1]]
    coded = roundtrip(frames, codec, CODECS[codec].options(QUALITIES[codec][0], 0, "ultrafast"))
    assert coded.shape == frames.shape
    assert np.abs(coded.astype(float) - frames).mean() < 4


def test_a_single_frame_can_be_coded() -> None:
    for codec in CODECS:
        frames = numbered(1)
        assert roundtrip(frames, codec, CODECS[codec].options(QUALITIES[codec][0], 2, "veryfast")).shape == frames.shape


@pytest.mark.parametrize("matrix", ["bt601", "bt709"])
def test_saturated_colours_come_back_by_their_own_matrix(matrix: str) -> None:
    patches = np.zeros((2, 64, 96, 3), np.uint8)
    for column, colour in enumerate([(200, 30, 30), (30, 180, 40), (40, 40, 200)]):
        patches[:, :, 32 * column : 32 * column + 32] = colour
    coded = roundtrip(patches, "h264", CODECS["h264"].options(2, 0, "veryfast"), pixel_format="yuv444p", matrix=matrix)
    assert np.abs(coded.astype(int) - patches).mean() < 1.5


def test_444_keeps_colour_that_420_does_not() -> None:
    stripes = np.zeros((3, 64, 64, 3), np.uint8)
    stripes[:, :, ::2] = (200, 60, 60)
    stripes[:, :, 1::2] = (60, 60, 200)
    options = CODECS["h264"].options(4, 0, "veryfast")
    lost = [
        np.abs(roundtrip(stripes, "h264", options, pixel_format=pixel_format).astype(int) - stripes).mean()
        for pixel_format in ("yuv444p", "yuv420p")
    ]
    assert lost[0] < 3
    assert lost[1] > 30


def test_intra_frames_come_as_often_as_the_gop_says() -> None:
    """A still of noise: only where an intra frame begins anew does the picture change, seen as pumping."""
    noise = np.random.default_rng(0).integers(60, 190, (1, 64, 64, 3), np.uint8).repeat(24, 0)
    options = CODECS["mpeg2"].options(12, 0, "medium")
    whole, short = (roundtrip(noise, "mpeg2", options, gop=gop).astype(int) for gop in (24, 6))
    changes = [np.abs(np.diff(coded, axis=0)).mean((1, 2, 3)) for coded in (whole, short)]
    assert (changes[1][[5, 11, 17]] > 5).all()
    assert (changes[1][[4, 10, 16]] < 1).all()
    assert (changes[0][2:] < 1).all()


def test_an_unknown_option_or_codec_is_refused() -> None:
    with pytest.raises(ValueError, match="has no option crff"):
        roundtrip(numbered(1), "h264", {"crff": "3"})
    with pytest.raises(ValueError, match="codec must be 'h264', 'h265'"):
        Codec("divx", (1, 2))


def test_jpeg_loses_more_at_lower_quality_and_each_frame_alone() -> None:
    clip = to_tensor(numbered(3))
    kept = [psnr(clip, Jpeg((1, 100)).apply(clip, {"quality": quality})) for quality in (95, 60, 20)]
    assert kept[0] > kept[1] > kept[2]
    assert kept[0] > 30
    frame = cv2.imencode(".jpg", to_frames(clip)[1][..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    alone = cv2.imdecode(frame, cv2.IMREAD_COLOR)[..., ::-1]
    assert np.array_equal(to_frames(Jpeg((1, 100)).apply(clip, {"quality": 60}))[1], alone)


@pytest.mark.parametrize("step", [Codec("h264", (20, 30)), Jpeg((40, 80))], ids=["codec", "jpeg"])
def test_a_batch_of_clips_is_coded_clip_by_clip(step: Degradation) -> None:
    clips = torch.stack([to_tensor(numbered(4)), to_tensor(numbered(4)).flip(-1)])
    drawn = step.sample(np.random.default_rng(0))
    assert torch.equal(step.apply(clips, drawn), torch.stack([step.apply(clip, drawn) for clip in clips]))
