"""Writes docs/encodings.md: python -m tests.parity.encodings_page > docs/encodings.md"""

import sys
import tempfile
from pathlib import Path

import av
from rich.console import Console
from rich.progress import track

from tests.parity.encoding_rows import ROWS
from tests.parity.encodings import BOUND, FRAMES, Result, measure

_HEAD = f"""# Encodings

What the reader makes of {len(ROWS)} encodings. Each is made by PyAV's own encoders, {FRAMES} frames of a drifting
picture with its number drawn in, then read at every index, shuffled and in order. The reference decodes the file from
its start to its end, takes the planes as they are, and computes RGB from them in float64: the row's matrix, range and
place of chroma, chroma enlarged by the cubic of a = -0.6. It shares the codecs with the reader and nothing else.
Lossless rows are also held against what went in. Of the rows that are treated, bwdif is held against libavfilter's own,
run over the whole file, ivtc against the film frames that were telecined, and tone mapping against BT.2390 in float64.

- *MAE*: mean absolute error of the worst frame, *peak* of the worst sample, both in 8-bit levels. Rounding to 8 bits
  alone is 0.25 and 0.5.
- *wrong*: at how many of the indices another frame came, told by the number drawn.
- *read as*: matrix and range by which the reader converted; *assumed*: the file does not say, so up to 576 lines count
  as BT.601 and more as BT.709.
- *backend*: which decoder probing chose, and why.

Written by `python -m tests.parity.encodings_page > docs/encodings.md` with PyAV {av.__version__}; held to
MAE <= {BOUND:g} and no wrong frame by `tests/parity/test_encoding_matrix.py`. 10-bit VP9 is missing: PyAV's wheel
cannot encode it.
"""


def _line(result: Result) -> str:
    row = result.row
    tags = "" if row.tagged else ", untagged"
    planes = f"{row.matrix} {'full' if row.full else 'limited'}{tags}"
    asked = " ".join(f"{key}={word}" for key, word in vars(row.read_options).items() if word)
    name = f"{row.name}: `{asked}`" if asked else row.name
    if result.refusal:
        verdict = result.refusal.split(": ", 1)[1].replace("|", "/")
        cells = ["", "", "", "", f"refused: {verdict}"]
    else:
        why = f"{result.backend}: {result.reason}"
        cells = [result.read_as, f"{result.mae:.3f}", f"{result.peak:.1f}", str(result.wrong), why]
    return "| " + " | ".join([name, f"{row.codec}, {row.format}", row.suffix, planes, *cells]) + " |"


def main() -> None:
    """Measure every row and write the page to standard output; exit 1 where a row is not right."""
    console = Console(stderr=True)
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        for row in track(ROWS, "encodings", console=console):
            results.append(measure(row, Path(folder)))
    read = [result for result in results if not result.refusal]
    print(_HEAD)
    print(
        f"**{len(read)} read, {len(results) - len(read)} refused by name, "
        f"{sum(not result.right for result in results)} wrong.** "
        f"Worst MAE {max(result.mae for result in read):.3f}, worst peak {max(result.peak for result in read):.2f}, "
        f"{sum(result.wrong for result in read)} frames at a wrong index; "
        f"{sum(result.backend == 'decord' for result in read)} rows read by decord, the others by PyAV.\n"
    )
    print("| encoding | encoder, format | file | planes made by | read as | MAE | peak | wrong | backend, or refusal |")
    print("|---|---|---|---|---|---|---|---|---|")
    print("\n".join(_line(result) for result in results))
    if not all(result.right for result in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
