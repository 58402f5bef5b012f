"""Encoder options that may be set."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from vsr_lab.core.errors import UserError
from vsr_lab.core.files import config_dir
from vsr_lab.deployment import Encoding


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"stats": "a.yaml"}, "options.stats: must not set stats"),
        ({"passlogfile": "a"}, "options.passlogfile: must not set passlogfile"),
        ({"flags": "+ilme+pass1"}, "options.flags: must not set pass1"),
        ({"flags": "512"}, "options.flags: must not set 512"),
        ({"flags": "ilme+0x200"}, "options.flags: must not set 0x200"),
        ({"x264-params": "crf=1:dump_yuv=a"}, "options.x264-params: must not set dump-yuv"),
        ({"x264-params": "cqm=a.cfg"}, "must not set cqm"),
        ({"x264-params": "'sta'ts=a"}, "must not set 'sta'ts"),
        ({"x264opts": "opencl-clbin=a"}, "options.x264opts: must not set opencl-clbin"),
        ({"x265-params": "csv=a"}, "must not set csv"),
        ({"x265-params": "scaling-list=a"}, "must not set scaling-list"),
        ({"svtav1-params": "fgs-table=a"}, "must not set fgs-table"),
        ({"psnre": "1"}, "options.psnre: must not set psnre"),
        ({"presett": "fast"}, "did you mean preset?"),
    ],
)
def test_options_that_could_do_more_than_change_the_coding_are_named(options: dict[str, str], named: str) -> None:
    with pytest.raises(UserError) as refused:
        Encoding(options=options)
    assert named in str(refused.value)


def test_encoder_that_cannot_be_opened_is_named() -> None:
    presets = {path.stem: yaml.safe_load(path.read_text()) for path in (config_dir() / "preset").glob("*.yaml")}
    missing = {
        name: Encoding(**{k: v for k, v in keys.items() if k != "_target_"}).missing for name, keys in presets.items()
    }
    assert not any(why for name, why in missing.items() if name != "nvenc"), missing
    assert Encoding(codec="libaom-none").missing == "the installed FFmpeg libraries have no such encoder"
    assert Encoding(codec="libx264", options={"crf": "many"}).missing


def test_options_of_presets_are_checked() -> None:
    with pytest.raises(UserError, match=r"libx264\.stats: must not set stats"):
        Encoding(codec_options={"libx264": {"stats": "a"}})


def test_options_of_one_encoder_are_not_given_to_another() -> None:
    encoding = Encoding(codec_options={"libx264": {"tune": "grain"}, "libx265": {"x265-params": "sao=0"}})
    assert "tune" in encoding.options_of("libx264", "yuv420p")
    assert "x265-params" not in encoding.options_of("libx264", "yuv420p")
    assert {"tune", "x265-params", "preset", "crf"}.isdisjoint(encoding.options_of("ffv1", "yuv420p"))


def test_options_that_change_the_coding_may_be_set() -> None:
    options = {"crf": "1", "x264-params": "no-mbtree=1:aq_mode=2", "x265-params": "sao=0", "svtav1-params": "tune=0"}
    assert Encoding(options={**options, "flags": "+ilme"}).options["crf"] == "1"


def test_onnxruntime_keeps_no_record_of_its_use(tmp_path: Path) -> None:
    """Its import alone would create a database in the user's cache."""
    environment = {"HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[3])}
    subprocess.run([sys.executable, "-c", "import vsr_lab, onnxruntime"], env=environment, check=True)
    assert not list(tmp_path.rglob("*"))
