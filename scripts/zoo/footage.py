"""What the zoo is trained on: renders what is rendered, and writes train.csv.

    python scripts/zoo/footage.py FOOTAGE STILLS OUT

FOOTAGE: a folder with train/; STILLS: one with live_action/ and animation/. Clips whose coding shows are shrunk until
it no longer does. It is evaluated on other clips: `eval_sources.py`.
"""

import subprocess
import sys
from os.path import relpath
from pathlib import Path

from vsr_lab.footage.tables import read_rows, write_rows

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
# name: words for `vsr-lab footage render`
RENDERED = {
    "camera_live_action": "kind=camera n=60 frames=18 size=[384,640] seed=0 stills={stills}/live_action",
    "camera_animation": "kind=camera n=30 frames=18 size=[384,640] seed=500 stills={stills}/animation",
    "screens": "kind=screen n=40 frames=20 size=[384,640] seed=0",
    "dense_screens": "kind=screen n=16 frames=20 size=[384,640] seed=2000 scale=2",
}
CONTENT = {
    "screens": "screen_capture",
    "dense_screens": "screen_capture",
}

# Where scenes begin, as `vsr-lab footage index` found them.
CUTS = {"bower_bbb480": "285 378 553", "tos_battle": "52 158 221 309"}


def main(footage: Path, stills: Path, out: Path) -> None:
    """Write the table, and render what it lists and is missing."""
    out.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = [_row(footage / "train" / name, out, *window) for name, window in TRAIN.items()]
    rows += [row for name, words in RENDERED.items() for row in _rendered(name, words, stills, out)]
    write_rows(out / "train.csv", rows)


def _rendered(name: str, words: str, stills: Path, out: Path) -> list[dict[str, object]]:
    """Rows of the rendered clips in out/name, which are made where they are missing."""
    if not (out / name / "manifest.csv").exists():
        told = words.format(stills=stills).split()
        subprocess.run(["vsr-lab", "footage", "render", *told, f"run_dir={out / name}"], check=True)
    content = CONTENT.get(name, name.removeprefix("camera_"))
    rows = read_rows(out / name / "manifest.csv")
    return [{**row, "content_type": content, "path": f"{name}/{row['path']}"} for row in rows]


def _row(path: Path, out: Path, downscale: float, start: int, stop: int) -> dict[str, object]:
    split, content = path.parts[-3:-1]
    return {
        "name": path.stem,
        "path": relpath(path, out),
        "split": split,
        "content_type": content,
        "start": start,
        "stop": stop,
        "downscale": downscale,
        "cuts": CUTS.get(path.stem, ""),
    }


if __name__ == "__main__":
    main(*(Path(word) for word in sys.argv[1:]))
