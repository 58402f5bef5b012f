"""A case: a file, how it is upscaled, what is right for it, and what became of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.delivery.checker import problems
from tests.delivery.making import Film, make
from vsr_lab.core.errors import Refusal, UserError
from vsr_lab.deployment import Bundle, Encoding, Inference, open_bundle, upscale, write_bundle
from vsr_lab.deployment.planning.outputs import suffix_for
from vsr_lab.models import Interpolation
from vsr_lab.video import ReadOptions

QUICK = Encoding(
    codec_options={
        "libx264": {"crf": "10", "preset": "ultrafast"},
        "libx264rgb": {"crf": "8", "preset": "ultrafast"},
        "libx265": {"crf": "10", "preset": "ultrafast"},
        "libsvtav1": {"crf": "15", "preset": "12"},
        "libvpx-vp9": {"crf": "15", "b": "0", "cpu-used": "8"},
    }
)
RIGHT, REFUSED = "right", "refused"
_AS_IT_IS, _WHOLE = ReadOptions(), Inference()


@dataclass(frozen=True)
class Case:
    """One file and what is right for it.

    Attributes:
        kind: row of the table.
        name: name of the case.
        source: makes the file in a folder, or names it.
        suffix: suffix of the output; "" for that of the source.
        refused: pattern of the message with which the file is refused; "" if it is upscaled.
        read_options, encoding, inference: as in `upscale`.
        judged: whether the output is compared with the source; settings may change what is kept.
    """

    kind: str
    name: str
    source: Callable[[Path], Path]
    suffix: str = ""
    refused: str = ""
    read_options: ReadOptions = _AS_IT_IS
    encoding: Encoding = QUICK
    inference: Inference = _WHOLE
    judged: bool = True


@dataclass(frozen=True)
class Outcome:
    """What became of a case.

    Attributes:
        verdict: right, refused, silently dropped, silently wrong, refused badly or traceback.
        why: the message, or what is wrong.
    """

    case: Case
    verdict: str
    why: str = ""


def film_case(kind: str, film: Film, suffix: str = "", refused: str = "") -> Case:
    """The case of a film, with its name."""
    return Case(
        kind, film.name + (f" to {suffix}" if suffix else ""), lambda folder: make(film, folder), suffix, refused
    )


def doubler(folder: Path) -> Bundle:
    """A bundle of nearest x2, so that every frame is known."""
    path = folder / "bundle"
    write_bundle(path, "doubler", Interpolation(2, "nearest"), about={}, exporters=[])
    return open_bundle(path, None)


def judge(case: Case, folder: Path) -> Outcome:
    """Upscale the file of a case in an empty folder."""
    source = case.source(folder)
    output = folder / f"large{case.suffix or suffix_for(source, case.encoding)}"
    before = source.read_bytes() if source.is_file() else b""
    options = {"encoding": case.encoding, "inference": case.inference, "read_options": case.read_options}
    try:
        upscale(doubler(folder), source, output, **options)  # pyright: ignore[reportArgumentType]
    except (UserError, Refusal) as error:
        return _of_refusal(case, str(error).replace(f"{folder}/", ""), output)
    except Exception as error:
        return Outcome(case, "traceback", f"{type(error).__name__}: {error}")
    if case.refused:
        return Outcome(case, "silently wrong", "upscaled, and not refused")
    if before and source.read_bytes() != before:
        return Outcome(case, "silently wrong", "the source was changed")
    found = problems(source, output, read_options=_as_read(case.read_options)) if case.judged else []
    lost = [problem for problem in found if re.search("lost|->|no disclosure|not kept", problem)]
    verdict = "silently dropped" if lost else "silently wrong" if found else RIGHT
    return Outcome(case, verdict, "; ".join(found))


def _of_refusal(case: Case, message: str, output: Path) -> Outcome:
    whole = "\n" not in message and not output.exists() and case.refused and re.search(case.refused, message)
    return Outcome(case, REFUSED if whole else "refused badly", message)


def _as_read(options: ReadOptions) -> ReadOptions:
    return ReadOptions(
        deinterlace=options.deinterlace or "keep",
        tone_map=options.tone_map or "keep",
        damaged=options.damaged or "keep",
    )
