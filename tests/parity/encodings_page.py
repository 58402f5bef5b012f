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

This page shows how {len(ROWS)} video encodings are read. Each test file is encoded by PyAV and contains
{FRAMES} frames of a moving picture with the frame number in it. The reader of vsr_lab reads every frame by its
index, in random order and in sequence, and the result is compared with a reference. The reference decodes the
whole file from the start and computes RGB from the decoded planes in float64, with the matrix, range and chroma
location of the test file. Chroma is upsampled by a cubic kernel with a = -0.6. The reader and the reference have
only the codecs in common. Lossless files are also compared with the frames that were encoded. Converted files have
other references: the bwdif filter of libavfilter on the whole file for `deinterlace=bwdif`, the original film
frames for `deinterlace=ivtc`, and BT.2390 in float64 for `tone_map=bt2390`.

- *planes made by*: matrix and range with which the file was encoded; *untagged*: the file does not specify them.
- *MAE*: mean absolute error of the worst frame; *peak*: error of the worst sample; both in 8-bit levels.
  Rounding to 8 bits alone causes a MAE of 0.25 and a peak of 0.5.
- *wrong*: number of indices for which a wrong frame was returned, according to the frame number in the picture.
- *read as*: matrix and range that the reader used; *assumed*: the file does not specify them, so BT.601 is used
  for up to 576 lines and BT.709 for more.
- *backend, or refusal*: the library that decodes the file and the reason for this choice, or the error message.

This page is written by `python -m tests.parity.encodings_page > docs/encodings.md` with PyAV {av.__version__};
`tests/parity/test_encoding_matrix.py` tests that *MAE* <= {BOUND:g} and *wrong* = 0 in every row. 10-bit VP9 is
missing, because PyAV's wheel cannot encode it.
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
        f"**{len(read)} read, {len(results) - len(read)} refused, "
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
