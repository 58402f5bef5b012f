"""Every damaged or hostile name that lines give, and how it is made: one line each."""

import shutil
from collections.abc import Callable
from typing import Any

from tests.mistakes.damage import (
    GONE,
    Make,
    Payload,
    absolute_graph,
    arrays,
    as_type,
    bytes_of,
    checkpoint,
    clip_folder,
    copy,
    evil_content,
    fifo,
    footage_named,
    huge_picture,
    in_frames,
    in_header,
    in_json,
    in_onnx,
    in_yaml,
    linked,
    natural,
    nested_run,
    pickled,
    rows,
    self_linked,
    table,
    torch_pickled,
    victims,
    zip_bomb,
)


def _bundle(edits: dict[str, Any]) -> Make:
    return copy("exp/bundle", in_json("manifest.json", edits))


def _weights(edits: dict[str, Any]) -> Make:
    return copy("runA/network.safetensors", in_header(edits))


def _onnx(edits: dict[str, Any], text: str | None = None) -> Make:
    return copy("exp/bundle/step.onnx", in_onnx(edits, text))


def _frames(change_table: Callable[[Any, Any], Any]) -> Make:
    return copy("ev/ckpt", in_frames(change_table))


def _summary(edits: dict[str, Any]) -> Make:
    return copy("ev/ckpt", in_json("summary.json", edits))


def _more(number: Any) -> Any:
    return number + 10


_SUMMARY_KEYS = ("candidate", "candidate_facts", "metric_fingerprints", "metrics", "ms_per_frame", "suite")
_REMOVED = ("protocol_fingerprint", "suite_fingerprint", "per_clip", "scale", "schema")
# Keys of a summary that were called otherwise when the shared table was written.
_NOW = {
    "protocol_fingerprint": "protocol.fingerprint|protocol_fingerprint",
    "scale": "protocol.scale|scale",
    "schema": "schema_version|schema",
}
_LOOSE = {"_target_": "vsr_lab.evaluation.gates.Floor", "metric": "psnr", "floor": -100.0}
_LOAD = {"_target_": "torch.load", "f": "WORLD/bad/pt.pth", "weights_only": False}

COPIES: dict[str, Make] = {
    "bad/p.pth": pickled,
    "bad/pt.pth": torch_pickled,
    "bad/zipbomb.pth": zip_bomb,
    "bad/empty.safetensors": copy("runA/network.safetensors", bytes_of("", lambda data: b"")),
    "bad/cut.safetensors": copy("runA/network.safetensors", bytes_of("", lambda data: data[: len(data) // 2])),
    "bad/text.safetensors": copy("runA/network.safetensors", bytes_of("", lambda data: b"hello world, hello")),
    "bad/hugeheader.safetensors": copy("runA/network.safetensors", bytes_of("", lambda d: b"\xff" * 7 + b"\0" + d[8:])),
    "bad/aboutlist.safetensors": _weights({"about": []}),
    "bad/aboutnameint.safetensors": _weights({"about.name": 5}),
    "bad/aboutnan.safetensors": _weights({"about.score": float("nan")}),
    "bad/aboutnoname.safetensors": _weights({"about.name": GONE}),
    "bad/noabout.safetensors": _weights({"about": GONE}),
    "bad/hugeblocks.safetensors": _weights({"network.blocks": 10**8}),
    "bad/hugechannels.safetensors": _weights({"network.channels": 10**8}),
    "bad/hugewarm.safetensors": _weights({"network.warm_up": 10**8}),
    "bad/negscale.safetensors": _weights({"network.scale": -2}),
    "bad/evil.safetensors": _weights({"network._target_": "torch.load"}),
    "bad/evilmodule.safetensors": _weights({"network._target_": "vsr_lab.models.files.torch.load"}),
    "bad/schema9.safetensors": _weights({"schema_version|schema": 9}),
    "bad/dtypebool.safetensors": copy("runA/network.safetensors", as_type("bool")),
    "bad/dtypeint.safetensors": copy("runA/network.safetensors", as_type("int32")),
    "bad/m_mult.onnx": _onnx({"size_multiple": 0}),
    "bad/m_multbig.onnx": _onnx({"size_multiple": 100_000}),
    "bad/m_list.onnx": _onnx({}, "[1]"),
    "bad/m_channels.onnx": _onnx({"state": [[9, 48, 48]]}),
    "bad/m_noscale.onnx": _onnx({"scale": GONE}),
    "bad/m_notjson.onnx": _onnx({}, "{x"),
    "bad/m_scales.onnx": _onnx({"scale": "x"}),
    "bad/m_state.onnx": _onnx({"state": [[1_000_000, 48, 48]] * 3}),
    "bad/m_state0.onnx": _onnx({"state": []}),
    "bad/m_statenull.onnx": _onnx({"state": None}),
    "bad/m_warmneg.onnx": _onnx({"warm_up": -5}),
    "bad/m_schema9.onnx": _onnx({"schema_version|schema": 9}),
    "bad/m_cut.onnx": copy("exp/bundle/step.onnx", bytes_of("", lambda data: data[: len(data) // 2])),
    "cfg_chan": copy("runA", in_yaml({"model.channels": 16})),
    "cfg_lr": copy("runA", in_yaml({"optimizer.lr": "abc"})),
    "cfg_null": copy("runA", in_yaml({"data.root": None})),
    "cfg_unknownkey": copy("runA", in_yaml({"+foo": 1})),
    "cfg_text": copy("runA", bytes_of("config.yaml", lambda data: b"hello: [")),
    "cfg_list": copy("runA", bytes_of("config.yaml", lambda data: b"- a\n- b\n")),
    "cfg_binary": copy("runA", bytes_of("config.yaml", lambda data: bytes(range(256)))),
    "ck_list": copy("runA", checkpoint([1, 2, 3])),
    "ck_pickle": copy("runA", checkpoint(Payload)),
    "ck_weird": copy("runA", checkpoint({"a": 1})),
    "ck_cut": copy("runA", bytes_of("checkpoints/last.ckpt", lambda data: data[: len(data) // 2])),
    "evil_resolver": copy("runA", in_yaml({"name": "${oc.env:HOME}"})),
    "evil_tl": copy("runA", in_yaml({"degradation": _LOAD})),
    "evil_os": copy("runA", in_yaml({"degradation": {"_target_": "os.system", "command": "touch WORLD/PWNED"}})),
    "evil_model": copy("runA", in_yaml({"model": {"_target_": "os.system", "command": "touch WORLD/PWNED"}})),
    "conc": copy("runA", in_yaml({"trainer.max_steps": 3000, "scheduler.T_max": 3000})),
    "b_aboutnull": _bundle({"about": None}),
    "b_noabout": _bundle({"about": GONE}),
    "b_absgraph": copy("exp/bundle", absolute_graph),
    "b_graphlist": _bundle({"graphs": ["step.onnx"]}),
    "b_graphnull": _bundle({"graphs": {"onnx": None}}),
    "b_graphdots": _bundle({"graphs": {"onnx": "../exp/bundle/step.onnx"}}),
    "b_pfint": _bundle({"pixel_format|about.pixel_format": 5}),
    "b_scale9": _bundle({"scale": 9}),
    "b_name": _bundle({"name": "another"}),
    "b_weights": copy("exp/bundle", bytes_of("network.safetensors", lambda data: data[:-4] + b"\0\0\0\1")),
    "b_warm": _bundle({"warm_up": 100_000}),
    "b_sha_list": _bundle({"sha256": []}),
    "b_sha_null": _bundle({"sha256": None}),
    "b_schema9": _bundle({"schema_version|schema": 9}),
    "b_changed": copy("exp/bundle", bytes_of("step.onnx", lambda data: data + b"\0")),
    "b_nograph": copy("exp/bundle", lambda world, path: (path / "step.onnx").unlink()),
    "b_text": copy("exp/bundle", bytes_of("manifest.json", lambda data: b"hello")),
    "b_ok": copy("exp/bundle"),
    "b_extra": copy("exp/bundle", lambda world, path: shutil.copy2(world / "in.mp4", path / "extra.mp4") and None),
    "p_clip": _frames(lambda pl, t: t.with_columns(clip=pl.lit("x") + pl.col("clip"))),
    "p_half": _frames(lambda pl, t: t.head(len(t) // 2)),
    "p_nan": _frames(lambda pl, t: t.with_columns(value=pl.lit(float("nan")))),
    "p_nocol": _frames(lambda pl, t: t.drop("value")),
    "p_str": _frames(lambda pl, t: t.with_columns(value=pl.col("value").cast(pl.String))),
    "p_empty": copy("ev/ckpt", bytes_of("frames.parquet", lambda data: b"")),
    "p_text": copy("ev/ckpt", bytes_of("frames.parquet", lambda data: b"hello")),
    "p_trunc": copy("ev/ckpt", bytes_of("frames.parquet", lambda data: data[: len(data) // 2])),
    "s_cheat": _summary({"metrics.psnr.mean": _more}),
    "s_cheatflicker": _summary({"metrics.flicker.mean": 0.0}),
    "s_content2": _summary({"content": "x=y"}),
    "s_contentpath": _summary({"content": "../../evil"}),
    "s_list_metrics": _summary({"metrics": []}),
    "s_strscore": _summary({"metrics.psnr.mean": "30", "per_clip.c1.psnr": "30"}),
    "s_schema9": _summary({"schema_version|schema": 9}),
    "s_text": copy("ev/ckpt", bytes_of("summary.json", lambda data: b"hello")),
    "s_cut": copy("ev/ckpt", bytes_of("summary.json", lambda data: data[: len(data) // 2])),
    **{f"s_no_{key}": _summary({_NOW.get(key, key): GONE}) for key in (*_SUMMARY_KEYS, *_REMOVED)},
    **{f"s_null_{key}": _summary({key: None}) for key in _SUMMARY_KEYS},
    "sx_gate": copy("ev/ckpt", evil_content("loose", _LOOSE)),
    "sx_trav2": copy("ev/ckpt", evil_content("evil", _LOAD)),
    "fx/px1": clip_folder("clip", (1, 1), ".png"),
    "fx/ssim": clip_folder("clip", (8, 8), ".png"),
    "fx/mixext": clip_folder("clip", (32, 32), ".png", ".jpg"),
    "fx/emptydir": lambda world, path: path.mkdir(parents=True),
    "fx/fifo": fifo,
    "fx/loop": copy("hr", lambda world, path: (path / "again").symlink_to(path)),
    "fx/selflink": copy("hr", self_linked),
    "fx/linked": linked,
    "fx/bigpng": huge_picture,
    "fx/nonutf": footage_named(b"c\xff\xfe.mkv"),
    "fx/textvideo": copy("hr", bytes_of("c1.mkv", lambda data: b"hello")),
    "fx/cut": copy("hr", bytes_of("c1.mkv", lambda data: data[: len(data) // 3])),
    "fx/empty": copy("hr", bytes_of("c1.mkv", lambda data: b"")),
    "fx/names/${env}": copy("hr"),
    "fx/names/co,mma": copy("hr"),
    "bad/absname.csv": table("name,path\nWORLD/ABSEVIL,../hr/c1.mkv\n"),
    "bad/cutsneg.csv": table("path,cuts\n../hr/c1.mkv,-5\n"),
    "bad/dupcol.csv": table("path,path\n../hr/c1.mkv,../hr/c2.mkv\n"),
    "bad/quote.csv": table('path\n"../hr/c1.mkv\n../hr/c2.mkv\n'),
    "bad/spacecol.csv": table("path, start, stop\n../hr/c1.mkv,0,2\n"),
    "bad/splits.csv": rows("path,split", "train", "train", "eval", "eval"),
    "bad/unknowncol.csv": rows("path,fraems", "0:4", "0:4", "0:4", "0:4"),
    "bad/nopath.csv": table("name,split\na,train\n"),
    "bad/empty.csv": table(""),
    "bad/header.csv": table("path,name\n"),
    "bad/gone.csv": table("path\n../hr/gone.mkv\n"),
    "bad/twice.csv": table("name,path\na,../hr/c1.mkv\na,../hr/c2.mkv\n"),
    "bad/startx.csv": table("path,start,stop\n../hr/c1.mkv,x,4\n"),
    "bad/startback.csv": table("path,start,stop\n../hr/c1.mkv,8,4\n"),
    "bad/cropbig.csv": table("path,crop\n../hr/c1.mkv,900 900 0 0\n"),
    "bad/downscale0.csv": table("path,downscale\n../hr/c1.mkv,0\n"),
    "bad/dots.csv": table("name,path\n../../../escape,../hr/c1.mkv\n"),
    "bad/vic_abs.csv": table("name,path\nWORLD/vic/movie,../hr/c1.mkv\n"),
    "bad/vic_dots.csv": table("name,path\n../../../vic/movie,../hr/c1.mkv\n"),
    "bad/vic_ev.csv": table("name,path\n../../../vic/pic,../hr/c1.mkv\n"),
    "vic": victims,
    "npys": arrays,
    "nat": natural,
    "evn": copy("ev/bicubic", nested_run),
    "q.mp4.provenance.json": copy("in.mp4"),
    "text.mp4": table("no video at all"),
    "cut.mp4": copy("in.mp4", bytes_of("", lambda data: data[: len(data) // 2])),
}
