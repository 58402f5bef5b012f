"""What the zoo is trained and judged on: renders what is rendered, and writes four tables:
train.csv, long.csv, held.csv (the ends of recordings in train.csv, which no training sees) and eval.csv.

    python scripts/zoo/footage.py FOOTAGE STILLS OUT

FOOTAGE: a folder with train/ and eval/; STILLS: one with live_action/ and animation/. Lossy clips are shrunk until
their coding no longer shows.
"""

import subprocess
import sys
from os.path import relpath
from pathlib import Path

from vsr_lab.footage.manifest import write_manifest
from vsr_lab.footage.shots import Shot
from vsr_lab.footage.tables import read_rows

# clip: (shrunk by, first frame, last + 1)
TRAIN = {
    "live_action/sam2_01_dog.mp4": (1.5, 0, 289),
    "live_action/sam2_02_cups.mp4": (1.5, 0, 300),
    "live_action/sam2_04_coffee.mp4": (1.5, 0, 287),
    "live_action/sam2_05_default_juggle.mp4": (1.5, 0, 247),
    "live_action/mdn_bug.mp4": (1.25, 0, 203),
    "live_action/mdn_elf.mp4": (1.5, 0, 241),
    "live_action/mdn_frog.mp4": (1.5, 0, 248),
    "live_action/mdn_monster.mp4": (1.5, 0, 220),
    "live_action/mdn_pig.mp4": (1.5, 0, 196),
    "live_action/tos_battle.webm": (1.25, 0, 700),
    "animation/bower_bbb480.mp4": (1.25, 0, 720),
    "animation/gnome_launch.webm": (1.5, 0, 820),
    "animation/gnome_switch.webm": (1.5, 0, 600),
    "screen_capture/cy_debugging.mp4": (1.0, 250, 650),
    "screen_capture/cy_first-test-assertions-30fps.mp4": (1.5, 0, 300),
    "screen_capture/cy_first-test-debugging-30fps.mp4": (1.5, 435, 735),
    "screen_capture/cy_hide_http.mp4": (1.0, 200, 600),
    "screen_capture/cy_prompt.mp4": (1.5, 0, 300),
    "screen_capture/cy_running-tests.mp4": (1.0, 350, 750),
    "screen_capture/cy_studio_edit.mp4": (1.0, 1350, 1650),
    "screen_capture/cy_studio_multi.mp4": (1.0, 0, 300),
    "screen_capture/cy_studio_rec.mp4": (1.0, 0, 300),
    "screen_capture/cy_travis-ci-logs-running-cypress.mp4": (1.0, 0, 400),
    "screen_capture/cy_typescript-intellisense-with-reference.mp4": (1.0, 0, 173),
}
# clip: (shrunk by, first frame, last + 1, crop "width height x y")
EVAL = {
    "live_action/sam2_03_blocks.mp4": (1.0, 60, 84, ""),
    "live_action/sam2_bedroom.mp4": (1.0, 60, 84, ""),
    "animation/sintel_a.mp4": (1.0, 200, 224, "848 360 0 58"),
    "animation/mediabunny_video.mp4": (2.0, 40, 64, ""),
    "screen_capture/aider_codespaces.mp4": (1.0, 182, 206, ""),
    "screen_capture/wezterm_tabs.mp4": (1.0, 53, 77, ""),
}
# name: words for `vsr-lab footage render`
RENDERED = {
    "camera_live_action": "kind=camera n=60 frames=18 size=[384,640] seed=0 stills={stills}/live_action",
    "camera_animation": "kind=camera n=30 frames=18 size=[384,640] seed=500 stills={stills}/animation",
    "drawn": "kind=animation n=24 frames=18 size=[384,640] seed=1000",
    "screens": "kind=screen n=40 frames=20 size=[384,640] seed=0",
    "dense_screens": "kind=screen n=16 frames=20 size=[384,640] seed=2000 scale=2",
}
# What the long trainings have besides, and what they do without: flat screencasts, which are half of the animation's
# frames, and the two recordings that take the longest to decode.
MORE = {
    "more_screens": "kind=screen n=64 frames=20 size=[384,640] seed=5000 scale=2",
}
CONTENT = {
    "drawn": "animation",
    "screens": "screen_capture",
    "dense_screens": "screen_capture",
    "more_screens": "screen_capture",
}
RECORDED = {Path(name).stem for name in TRAIN}
LEFT_OUT = {"gnome_launch", "gnome_switch", "cy_first-test-assertions-30fps", "cy_first-test-debugging-30fps"}

# Where scenes begin, as `vsr-lab footage index` found them.
CUTS = {"bower_bbb480": "285 378 553", "tos_battle": "52 158 221 309"}


def main(footage: Path, stills: Path, out: Path) -> None:
    """Write both tables, and render what the first one lists and is missing."""
    out.mkdir(parents=True, exist_ok=True)
    shots = [_row(footage / "eval" / name, out, *window) for name, window in EVAL.items()]
    write_manifest(out / "eval.csv", shots)
    rows = [_row(footage / "train" / name, out, *window) for name, window in TRAIN.items()]
    rows += [row for name, words in RENDERED.items() for row in _rendered(name, words, stills, out)]
    write_manifest(out / "train.csv", rows)
    write_manifest(out / "held.csv", [_end(row, out) for row in rows if row["name"] in RECORDED - LEFT_OUT])
    more = [row for name, words in MORE.items() for row in _rendered(name, words, stills, out)]
    write_manifest(out / "long.csv", [row for row in rows if row["name"] not in LEFT_OUT] + more)


def _rendered(name: str, words: str, stills: Path, out: Path) -> list[dict[str, object]]:
    """Rows of the rendered clips in out/name, which are made where they are missing."""
    if not (out / name / "manifest.csv").exists():
        told = words.format(stills=stills).split()
        subprocess.run(["vsr-lab", "footage", "render", *told, f"run_dir={out / name}"], check=True)
    content = CONTENT.get(name, name.removeprefix("camera_"))
    rows = read_rows(out / name / "manifest.csv")
    return [row | {"content_type": content, "path": f"{name}/{row['path']}"} for row in rows]


def _end(row: dict[str, object], out: Path) -> dict[str, object]:
    """The last 12 frames of a clip, and of them the middle, of 384 pixels once it is shrunk."""
    stop, downscale = int(str(row["stop"])), float(str(row["downscale"]))
    height, width = Shot("", out / str(row["path"])).size
    high, wide = (min(length, int(384 * downscale)) for length in (height, width))
    crop = f"{wide} {high} {(width - wide) // 4 * 2} {(height - high) // 4 * 2}"
    return row | {"split": "eval", "start": stop - 12, "cuts": "", "crop": crop}


def _row(path: Path, out: Path, downscale: float, start: int, stop: int, crop: str = "") -> dict[str, object]:
    split, content = path.parts[-3:-1]
    return {
        "name": path.stem,
        "path": relpath(path, out),
        "split": split,
        "content_type": content,
        "start": start,
        "stop": stop,
        "downscale": downscale,
        "crop": crop,
        "cuts": CUTS.get(path.stem, ""),
    }


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:]))
