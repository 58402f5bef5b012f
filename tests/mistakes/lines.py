"""The command lines: read from the tables, abbreviations written out, keys as they are called now."""

import csv
import os
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
OWN = HERE / "own.csv"
KNOWN = HERE / "known.txt"

TINY = (
    "data.size=32 data.clip_frames=3 data.workers=0 data.batch_size=1 trainer.max_steps=2 validation.every=2 "
    "validation.size=32 validation.frames=3 save_every=2 logger=none model.channels=8 model.blocks=1 data.hold_out=0.3"
)
DROPPED = " ".join(f"'~protocol.metrics.{m}'" for m in ("ssim", "st_lpips", "st_tlp", "tof", "flicker"))
FEW = f"{DROPPED} '~protocol.metrics.lr_consistency'"
ABBREVIATIONS = {
    "TINY": TINY,
    "TRAIN": f"{TINY} content=mixed data.root=hr data.store=store",
    "FEW": FEW,
    "EVAL": f"suite=folder suite.root=hr suite.frames=0:4 protocol=content-x2-bi-y candidate=bicubic {FEW}",
    "WEIGHTS": f"suite=folder suite.root=hr suite.frames=0:4 protocol=content-x2-bi-y {FEW} candidate=checkpoint",
    "RUNS": "'runs=[ev/bicubic,ev/ckpt]'",
    "EXPORT": "candidate.path=runA/network.safetensors",
    "UP": "bundle=exp/bundle input=in.mp4",
    "DEGRADE": "root=hr degradation=bi scale=2 frames=0:4",
    "RENDER": "kind=screen n=1 frames=2 'size=[64,96]' workers=1",
    "CHECK": "lr=lr hr=hr frames=0:8",
    "INDEX": "root=hr scans=scans",
    "SAMPLE": "root=hr n=1 scans=scans",
}
# What was called otherwise when the shared table was written.
RENAMED = {"data.tries": "data.crop_candidates", "kind=photo_pan": "kind=camera"}

_HAS_NO_RUN_DIR = {"footage store", "bench", "bundle verify", "bundle push", "inspect", "provenance", "main"}


@dataclass(frozen=True)
class Line:
    """One command line and how it must end.

    codes: exit codes that are right. words: alternatives, one of which the message must contain.
    """

    name: str
    command: str
    text: str
    codes: frozenset[int]
    words: tuple[str, ...] = ()
    earlier: str = ""
    earlier_verdict: str = ""

    @property
    def words_typed(self) -> list[str]:
        """The words after vsr-lab."""
        typed = shlex.split(self.text)
        if self.command == "main":
            return typed[1:]
        words = [_renamed(part) for word in typed for part in _written_out(word)]
        if self.command not in _HAS_NO_RUN_DIR and not any(w.startswith(("run_dir=", "resume=")) for w in words):
            words.append(f"run_dir=r/{self.name}")
        return [*self.command.split(), *words]

    @property
    def own(self) -> list[str]:
        """What is typed beside the abbreviations: the mistake is among these."""
        return [word for word in shlex.split(self.text) if word not in ABBREVIATIONS and word not in _UNSUSPICIOUS]

    def key(self, name: str, default: str = "") -> str:
        """The value of a key on this line, the last one where it is given twice."""
        given = [word.partition("=")[2] for word in self.words_typed if word.startswith(f"{name}=")]
        return given[-1] if given else default


_USUAL = (
    "data.store=store2 data.size=16 data.clip_frames=2 trainer.max_steps=1 validation.every=1 validation.size=16 "
    "validation.frames=2 model.channels=4 model.blocks=0 plan=false suite.frames=0:3 content=mixed suite=manifest"
)
_UNSUSPICIOUS = {word for text in (*ABBREVIATIONS.values(), _USUAL) for word in shlex.split(text)}


def _written_out(word: str) -> list[str]:
    return shlex.split(ABBREVIATIONS[word]) if word in ABBREVIATIONS else [word]


def _renamed(word: str) -> str:
    key, equals, value = word.partition("=")
    if word in RENAMED:
        return RENAMED[word]
    sign = key[: len(key) - len(key.lstrip("+~"))]
    return sign + RENAMED.get(key.lstrip("+~"), key.lstrip("+~")) + equals + value


def is_event(line: Line) -> bool:
    """Whether a line is a story (a signal, two at once, a full disk) and no list of words."""
    return line.name.startswith(("sig_", "CC_", "DF_", "RO_", "H_"))


def shared_table() -> Path:
    """The table of the cases beside the checkout, which need not be there."""
    folder = os.environ.get("VSR_LAB_CASES", HERE.parents[2] / "shared" / "cases")
    places = [Path(folder), HERE.parents[3] / "shared" / "cases"]
    return next((p / "mistakes.csv" for p in places if (p / "mistakes.csv").is_file()), places[0] / "mistakes.csv")


def read_lines(path: Path) -> list[Line]:
    """The lines of a table, in its order; none where the table is not there."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [_line(row) for row in csv.DictReader(file)]


def _line(row: dict[str, str]) -> Line:
    words = tuple(word for word in row.get("words", "").split("|") if word)
    return Line(
        row["id"],
        row["command_name"],
        row["arguments"],
        _codes(row["id"], row["expected"]),
        words or _cause(row["id"]),
        row.get("line_today", ""),
        row.get("verdict_today", ""),
    )


def _codes(name: str, expected: str) -> frozenset[int]:
    if name in ALSO_RIGHT:
        return ALSO_RIGHT[name]
    if name.startswith("S_") and expected == "exit 1":  # a record that cannot be used, or a candidate that is refused
        return frozenset({1, 2})
    found = re.findall(r"\b\d+\b", expected.partition(",")[0])
    return frozenset(int(number) for number in found) or frozenset({2})


# Lines of which more than one end is right, and why.
ALSO_RIGHT = {
    "LOSS_overwrite_contains_runs": frozenset({0, 2}),  # cleared of its own files alone, or refused
    "B041": frozenset({1, 2}),  # a training that diverged, or a bound on the learning rate
    "LOSS_natural_degrade": frozenset({0, 2}),  # the LR is written elsewhere, or the command refuses
    "LOSS_prov_is_input": frozenset({2}),
    "RO_scans": frozenset({0, 2}),
    "H10": frozenset({2}),
}
# The cause of lines whose own words do not name it.
_CAUSES: dict[str, tuple[str, ...]] = {
    "H08": ("content", "data.root"),
    "G60": ("=5", "key"),
    "A097": ("data.size", "size"),
    "A092": ("data.store", "/proc"),
    "C054": ("protocol",),
    "C012": ("suite.root",),
    "C082": ("scale",),
    "C084": ("lpips", "AlexNet"),
    "B119": ("default_root_dir",),
    "G53": ("seed",),
    "C025": ("clip",),
    "fdde23": ("clip",),
    "fsre04": ("hr",),
    "E_nonutf": ("Unicode", "UTF-8"),
    "TR_nonutf": ("Unicode", "UTF-8"),
    "I_nonutf": ("Unicode", "UTF-8"),
    "R_cfg_lr": ("optimizer.lr", "cfg_lr"),
    "R_cfg_null": ("data.root", "cfg_null"),
    "R_cfg_unknownkey": ("foo",),
    "RK00": ("resume", "content", "data.root"),
    "G52": ("seed", "-m", "results", "MISSING"),
}


def _cause(name: str) -> tuple[str, ...]:
    return _CAUSES.get(name, ())


def known_wrong() -> set[str]:
    """The lines that are known to end wrong: this list may only shrink."""
    return {line.split()[0] for line in KNOWN.read_text(encoding="utf-8").splitlines() if line.strip()[:1] not in "#"}
