"""Every example of the documentation runs: on tiny footage and with few steps, otherwise as it is written."""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import ROOT, write_moving_clip
from tests.examples import Example, find_examples
from vsr_lab.cli.configuration.usage import COMMANDS, config_name
from vsr_lab.cli.main import main

PAGES = sorted(
    {*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "results/zoo/README.md"}
    - {*(ROOT / "docs/reference").glob("*.md")}  # written from the commands, whose examples name no footage
    - {ROOT / "CHANGELOG.md"}
)
EXAMPLES = {page: found for page in PAGES if (found := find_examples(page))}
# What is added to an example that does not set the key itself, and what is set whatever the example says.
ADDED = {
    "train": [
        *("data.clip_frames=3", "data.workers=0", "data.hold_out=0.2", "validation.size=32"),
        *("validation.frames=3", "validation.clips=1", "logger=none"),
    ],
    "vote": ["--cfg", "job"],  # serves until it is stopped
    "demo": ["--cfg", "job"],  # takes minutes: composed here, and run by make demo
}
SET = {
    "train": {"trainer.max_steps": "2", "validation.every": "2", "data.size": "32", "data.batch_size": "1"},
    "footage render": {"n": "1", "frames": "8", "size": "[256,384]", "workers": "1"},
    "footage check": {"frames": "0:8"},
    "footage sample": {"n": "2"},
    "bench": {"sizes": "[64x48]"},
    "bundle verify": {"frames": "4"},
}
JUDGES = {"select", "footage leaks", "footage check"}  # may end with 1


def run(command: str) -> str:
    """What is wrong with vsr-lab's end, or nothing."""
    name = next(name for name in (*COMMANDS, "") if command.startswith(f"vsr-lab {name}"))
    words = re.sub(r"(?<= )-n (\d+)", r"n=\1", command)
    arguments = shlex.split(words)[1 + len(name.split()) :]
    keys = {word.lstrip("+~").partition("=")[0] for word in arguments}
    resumes = "resume" in keys
    arguments += [word for word in ADDED.get(name, ()) if word.partition("=")[0] not in keys and not resumes]
    if name == "export":
        formats = re.search(r"formats=\[(.*?)\]", command)
        arguments += [f"exporters.{format}.frames=4" for format in (formats[1] if formats else "onnx").split(",")]
    if resumes:  # the run of 2 steps
        arguments = [re.sub(r"^(trainer\.max_steps)=\d+", r"\1=4", word) for word in arguments]
    elif name in SET:
        arguments = [word for word in arguments if word.partition("=")[0] not in SET[name]]
        arguments += [f"{key}={value}" for key, value in SET[name].items()]
    sys.argv = ["vsr-lab", *name.split(), *arguments]
    try:
        main()
    except SystemExit as end:
        return "" if end.code in ({0, None, 1} if name in JUDGES else {0, None}) else f"ended with {end.code}"
    return ""


def look(command: str) -> str:
    """What is wrong with a command that other tests run: its files are there."""
    words = shlex.split(command)
    if words[0] == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        return "" if words[-1] in targets else "no such target"
    words = [word for word in words if word != "-P"]
    if words[:2] == ["python", "-m"]:
        missing = [word for word in words[3:] if word.startswith("tests/") and not (ROOT / word).exists()]
        return f"no {missing}" if missing else "" if importlib.util.find_spec(words[2]) else "no such module"
    if words[0] == "python":
        return "" if (ROOT / words[1]).is_file() else "no such file"
    return "neither vsr-lab, make nor python: mark it with <!-- not run: REASON -->"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that examples name: footage, a manifest, pairs, photographs, and runs."""
    folder = tmp_path_factory.mktemp("examples")
    clips = {"footage/a": 24, "footage/b": 24, "old": 4, "HR/a": 12, "HR/b": 12}
    clips |= {f"film/{name}": 60 for name in ("opening", "chase", "credits")}
    clips |= {f"Vid4/{name}": 4 for name in ("calendar", "city", "foliage", "walk")}
    for seed, (name, frames) in enumerate(clips.items()):
        write_moving_clip(folder / f"{name}.mkv", frames, 64, 96, seed)
    (folder / "old.mkv").rename(folder / "old.mp4")  # a reader goes by what is inside
    for name in ("a", "b", "hr"):
        shutil.copy(folder / "HR/a.mkv", folder / f"{name}.mp4")
    rows = ["a,footage/a.mkv,train,animation", "b,footage/b.mkv,eval,animation"]
    (folder / "manifest.csv").write_text("\n".join(["name,path,split,content_type", *rows]) + "\n", encoding="utf-8")
    (folder / "PHOTOS").mkdir()
    (folder / "results").mkdir()
    (folder / "results/zoo").symlink_to(ROOT / "results/zoo")
    photograph = np.random.default_rng(0).integers(0, 256, (800, 1200, 3), np.uint8)
    cv2.imwrite(str(folder / "PHOTOS/one.png"), cv2.GaussianBlur(photograph, (0, 0), 3))
    path = "candidate.path=results/train/RUN/network.safetensors"
    train = "vsr-lab train content=mixed data.root=footage model=recurrent_small save_every=1"
    judged = "suite=folder suite.root=footage protocol=content-x2-bi-y"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in (
            f"{train} run_dir=results/train/RUN",
            f"vsr-lab evaluate candidate=bicubic {judged} run_dir=results/evaluate/a",
            f"vsr-lab evaluate candidate=checkpoint {path} {judged} run_dir=results/evaluate/b",
            f"vsr-lab export {path} run_dir=results/export/RUN",
            "vsr-lab footage degrade HR degradation=bi scale=2 run_dir=made_pairs",
        ):
            assert not run(command), command
        (folder / "made_pairs/lr").rename(folder / "LR")
    return folder


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[list[Example]], Path]:
    """Writes the files of examples into a copy of the checkout, and lets this process find them there."""

    def write(examples: list[Example]) -> Path:
        for part in ("configs", "vsr_lab", "tests/contract"):
            shutil.copytree(ROOT / part, tmp_path / part)
        for file in ("tests/__init__.py", "tests/conftest.py", "pyproject.toml"):
            shutil.copy(ROOT / file, tmp_path / file)
        for example in examples:
            assert not (tmp_path / example.path).exists(), f"{example} already exists"
            (tmp_path / example.path).write_text(example.text, encoding="utf-8")
            if example.path.startswith("vsr_lab/"):
                package = importlib.import_module(".".join(Path(example.path).parent.parts))
                monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / Path(example.path).parent)])
        for module in ("app", "configuration.usage", "configuration.resumed"):
            monkeypatch.setattr(f"vsr_lab.cli.{module}.config_dir", lambda: tmp_path / "configs")
        return tmp_path

    return write


def contract_tests(copy: Path, files: list[Example]) -> str:
    """What the contract tests print of the files in a copy of the checkout, if they fail."""
    names = " or ".join(Path(example.path).stem for example in files)
    tests = ["tests/contract/test_configs.py", "tests/contract/test_every_network.py", "-k", names]
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(copy)}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode else ""


def with_run_dir(command: str, folder: str) -> str:
    """The command with a folder of its own: the default is named after the second. A sweep has its own."""
    name = next((name for name in COMMANDS if command.startswith(f"vsr-lab {name} ")), None)
    if name is None or any(word in command for word in ("run_dir=", "resume=", " -m ", "--cfg")):
        return command
    keys = (ROOT / f"configs/{config_name(name)}.yaml").read_text(encoding="utf-8")
    return f"{command} run_dir={folder}" if "\nrun_dir:" in keys else command


def _pages() -> list[object]:
    """Pages with examples; those that a newcomer does not begin with are left to make test-all."""
    first = {ROOT / name for name in ("README.md", "CONTRIBUTING.md", "docs/researchers.md")}
    return [
        pytest.param(page, id=page.relative_to(ROOT).as_posix(), marks=[] if page in first else [pytest.mark.slow])
        for page in EXAMPLES
    ]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", _pages())
def test_examples(
    page: Path,
    sandbox: Path,
    written: Callable[[list[Example]], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(sandbox)
    files = [example for example in EXAMPLES[page] if example.kind == "file"]
    problems = [contract_tests(written(files), files)] if files else []
    for number, example in enumerate(EXAMPLES[page]):
        capsys.readouterr()
        if example.kind == "python":
            exec(compile(example.text, str(example), "exec"), {"__name__": "example"})
        elif example.text.startswith("vsr-lab "):
            problem = run(with_run_dir(example.text, f"runs/{page.parent.name}-{page.stem}-{number}"))
            problems += [f"{example}: {problem}\n{capsys.readouterr().err}"] if problem else []
        elif example.kind == "command" and (problem := look(example.text)):
            problems.append(f"{example}: {problem}")
    assert not any(problems), "\n".join(problems)
