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
location of the test file. Chroma is upsampled by a cubic kernel with a = -0.6. The reader and the reference share no
code except the codecs and the filter bwdif. Lossless files are also compared with the frames that were encoded. For
files that are converted while they are read, the references are the output of libavfilter's filter bwdif for the
whole file (`deinterlace=bwdif`), the original film frames (`deinterlace=ivtc`), and BT.2390 in float64
(`tone_map=bt2390`).

The columns of the table are:

- *planes made by*: matrix and range with which the file was encoded. *untagged* means that the file does not specify
  them.
- *read as*: matrix and range that the reader used. *assumed* means that the file does not specify the matrix, and that
  the reader assumed BT.601 for up to 576 lines and BT.709 for more.
- *MAE*: mean absolute error of the worst frame, in 8-bit levels. Rounding to 8 bits alone causes a MAE of 0.25.
- *peak*: error of the worst sample, in 8-bit levels. Rounding to 8 bits alone causes a peak of 0.5.
- *wrong*: number of indices for which the reader returned a wrong frame, according to the frame number in the picture.
- *backend, or refusal*: the library that decodes the file and the reason for this choice, or the error message.

This page is written by `python -m tests.parity.encodings_page > docs/encodings.md` with PyAV {av.__version__};
`tests/parity/test_encoding_matrix.py` tests that *MAE* <= {BOUND:g} and *wrong* = 0 in every row that is read, and
that the other rows are refused. 10-bit VP9 is missing in the table, because PyAV's wheel cannot encode it.
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
        f"**Of these encodings {len(read)} are read and {len(results) - len(read)} are refused; "
        f"{sum(not result.right for result in results)} are wrong.** "
        f"The worst MAE is {max(result.mae for result in read):.3f} and the worst peak "
        f"{max(result.peak for result in read):.2f}; {sum(result.wrong for result in read)} frames were returned for a "
        f"wrong index. decord reads {sum(result.backend == 'decord' for result in read)} files, PyAV the others.\n"
    )
    print("| encoding | encoder, format | file | planes made by | read as | MAE | peak | wrong | backend, or refusal |")
    print("|---|---|---|---|---|---|---|---|---|")
    print("\n".join(_line(result) for result in results))
    if not all(result.right for result in results):
        sys.exit(1)


if __name__ == "__main__":
    main()
