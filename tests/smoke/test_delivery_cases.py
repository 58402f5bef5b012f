"""Every kind of file is upscaled right, or refused by one true sentence before the first frame."""

import re
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.delivery.basic_cases import QUIET, REFUSED, TEN
from tests.delivery.case import REFUSED as PROPERLY
from tests.delivery.case import RIGHT, Case, doubler, judge
from tests.delivery.cases import own_cases
from tests.delivery.checker import problems
from tests.delivery.making import FAST, FINE, Film, Sound, make
from tests.delivery.odd_files import CAPTIONS, changed, late, repacked, sei, with_unit
from vsr_lab.core.errors import UserError
from vsr_lab.deployment import Encoding, upscale
from vsr_lab.deployment.bundle import Bundle
from vsr_lab.video import ReadOptions

SAMPLE = {
    "palette.mov", "d.mkv to .flv", "scrambled transport stream", "A_XXX", "S_TEXX/UTF8", "turned by EXIF",
    "24000_1001.mp4 to .mp4", "gap.mp4 to .mp4", "adts.ts to .mp4", "sounds.mkv to .mkv", "srt2.mkv to .mp4",
    "ass.mkv to .mkv", "chapters.mp4 to .mp4", "cover.mp4 to .mp4", "p3.mov to .mov", "hdr10.mp4 to .mp4",
    "422.mov to .mov", "alpha.mkv to .mkv", "start.ts to .ts", "gray.mkv to .mkv", "a.vob", "a.mxf", "a.wmv",
    "a.wmv, audio=transcode", "a.gif", "a.ogg", "mono.y4m", "utvideo.avi", "pcm_s24le.mxf", "aac_96000_5.1.mkv",
    "late.ts to .mkv", "pgs.mkv to mp4", "klv.ts", "timecode.mxf", "a53 in hevc", "a53 to vp9", "hdr10+ in hevc",
    "late a53 to vp9", "dolby vision rpu", "afd in h264", "frame packing 3d", "turned 90", "par_12_11.mp4",
    "95x63.mkv", "1fps.mp4",
    "1000fps.mkv", "wrap.ts to .mp4", "one.gif", "fragmented.mp4", "a time given twice", "a frame missing",
    "full_gray.mkv", "gray16.mkv", "alpha_vp8.webm", "alpha_vp9.webm", "alpha_qtrle.mov",
    "alpha_p4444.mov to .webm", "gray_alpha.mov", "monob.avi", "telecined", "top first, converted",
    "PAFF, fields apart", "ffv1 16-bit", "webm, transcode", "tone_map=bt2390", "data missing, damaged=keep",
    "tiles", "cut.mp4", "cut.flv", "cut.mxf", "cut.wmv", "zeros.ts", "zeros.mxf", "begins in mid-GOP, .ts",
    "list.mkv of another file", "moov missing", "empty.mkv", "sound only", "a.jpg", "12:30.mp4", "50%03d.png",
    "mp4 called avi", "preset=dnxhr of rgb.mkv to .mov", "preset=archive of clear.mov to .mkv",
    "EXR, transfer=pq, to ProRes", "TIFF of 16 bits to PNG", "preset=preview of clear.mov to .mov",
    "preset=prores of rgb.mkv to .mov",
}  # fmt: skip


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return doubler(tmp_path_factory.mktemp("delivery"))


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case.name, marks=[] if case.name in SAMPLE else [pytest.mark.slow]) for case in own_cases()],
)
def test_file_is_upscaled_with_all_that_it_has_or_refused(tmp_path: Path, case: Case) -> None:
    outcome = judge(case, tmp_path)
    assert outcome.verdict == (PROPERLY if case.refused else RIGHT), outcome.why


def test_sample_is_of_known_cases() -> None:
    assert {case.name for case in own_cases()} >= SAMPLE


@pytest.mark.parametrize("suffix", [".avi", ".mkv"])
def test_sound_of_avi_keeps_its_length_where_the_header_states_too_many_ticks(
    bundle: Bundle, tmp_path: Path, suffix: str
) -> None:
    film = Film("a.avi", codec="mpeg4", options=FINE, rate=Fraction(25), sounds=(Sound("libmp3lame"),))
    source = changed(film, _with_ticks)(tmp_path)
    upscale(bundle, source, tmp_path / f"large{suffix}")
    with av.open(str(tmp_path / f"large{suffix}")) as container:
        times = [float(p.pts * p.time_base) for p in container.demux(container.streams.audio[0]) if p.pts is not None]
    assert len(times) > 10
    assert np.diff(times) == pytest.approx(1152 / 48000, abs=1e-3)


def _with_ticks(data: bytes) -> bytes:
    """AVI whose header of the sound states 100 times as many ticks a second (AVISTREAMHEADER.dwRate)."""
    place = data.index(b"auds") + 24
    (rate,) = struct.unpack_from("<I", data, place)
    return data[:place] + struct.pack("<I", 100 * rate) + data[place + 4 :]


@pytest.mark.parametrize(("film", "suffix", "reason"), REFUSED, ids=lambda value: getattr(value, "name", ""))
def test_what_cannot_be_kept_is_refused_and_left_out_on_request(
    bundle: Bundle, tmp_path: Path, film: Film, suffix: str, reason: str
) -> None:
    source, output = make(film, tmp_path), tmp_path / f"large{suffix}"
    with pytest.raises(UserError, match=reason):
        upscale(bundle, source, output)
    assert not output.exists()
    provenance = upscale(bundle, source, output, encoding=Encoding(unsupported="drop"))
    assert provenance.plan.dropped


def test_captions_that_begin_late_are_left_out_on_request(bundle: Bundle, tmp_path: Path) -> None:
    source = repacked(Film("s.ts", options=FAST), late(with_unit(sei(CAPTIONS))))(tmp_path)
    provenance = upscale(bundle, source, tmp_path / "large.webm", encoding=Encoding(unsupported="drop"))
    (dropped,) = provenance.plan.dropped
    assert re.fullmatch(r"closed captions .*libvpx-vp9 does not write, from frame 1\d on", dropped)


def test_sound_is_transcoded_on_request(bundle: Bundle, tmp_path: Path) -> None:
    source = make(Film("adpcm.avi", options={"bf": "0"}, sounds=(Sound("adpcm_ms", language="ger"),)), tmp_path)
    upscale(bundle, source, tmp_path / "large.mp4", encoding=Encoding(audio="transcode"))
    assert problems(source, tmp_path / "large.mp4") == []


def test_subtitles_are_converted_on_request(bundle: Bundle, tmp_path: Path) -> None:
    source, output = make(Film("ass.mkv", options=FAST, subtitles="ass"), tmp_path), tmp_path / "large.mp4"
    provenance = upscale(bundle, source, output, encoding=Encoding(unsupported="convert"))
    assert provenance.plan.dropped == []
    with av.open(str(output)) as container:
        (text,) = container.streams.subtitles
        assert text.codec_context.name == "mov_text"
        written = b"".join(bytes(packet) for packet in container.demux(text))
    assert b"Hello" in written and b"Second" in written


def test_transparency_is_composited_on_request(bundle: Bundle, tmp_path: Path) -> None:
    film = Film("alpha.mkv", codec="ffv1", pixel_format="bgra", alpha=True, colors=(1, 1, 0))
    upscale(bundle, make(film, tmp_path), tmp_path / "large.mp4", encoding=Encoding(background="black"))


def test_hdr_is_mapped_on_request(bundle: Bundle, tmp_path: Path) -> None:
    film = Film("hlg.mp4", codec="libx265", pixel_format=TEN, options=QUIET, colors=(9, 18, 9))
    source, output = make(film, tmp_path), tmp_path / "large.mp4"
    options = ReadOptions(tone_map="bt2390")
    provenance = upscale(bundle, source, output, read_options=options)
    assert problems(source, output, read_options=options) == []
    assert provenance.plan.video.transfer == 1
    assert provenance.output.bits == 10
