"""How often fields are told right on real clips, and on the same clips weaved and telecined here:

python -m tests.parity.fields_table FOLDER
"""

import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.weaving import interlaced, telecined, weaved
from vsr_lab.video.interlace_detection import Luma, ScanType, classify_interlacing

_RUN = 52  # whole frames taken from each third of a clip: 26 interlaced ones, 65 telecined
_JUDGED = 13  # frames in a row that are judged, as the reader does


def _runs(path: Path) -> list[Luma]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        found: list[Luma] = []
        for share in (0.1, 0.4, 0.7):
            container.seek(int(share * (container.duration or 0)))
            run: list[Luma] = []
            for frame in container.decode(stream):
                run.append(frame.to_ndarray(format="gray")[:, :: max(1, frame.width // 256)].astype(np.int16))
                if len(run) == _RUN:
                    found.append(np.stack(run))
                    break
        return found


_MAKE: dict[str, tuple[ScanType, Callable[[Luma], Luma]]] = {
    "whole frames": (ScanType.PROGRESSIVE, lambda luma: luma),
    "interlaced, top field first": (ScanType.INTERLACED, interlaced),
    "interlaced, bottom field first": (ScanType.INTERLACED, lambda luma: interlaced(luma, False)),
    "telecined 3:2, top field first": (ScanType.TELECINED, lambda luma: telecined(luma, True, 2)),
    "telecined 3:2, bottom field first": (ScanType.TELECINED, lambda luma: telecined(luma, False, 4)),
    "telecined 2:2, fields out of step": (ScanType.TELECINED, lambda luma: weaved(luma[:-1], luma[1:])),
}


def main() -> None:
    """Print how many runs of each kind are told right, otherwise, or not at all."""
    files = [p for p in sorted(Path(sys.argv[1]).rglob("*.*")) if p.suffix in {".mp4", ".webm", ".mkv"}]
    told: dict[str, list[ScanType]] = {name: [] for name in _MAKE}
    for file in track(files, "clips", console=Console(stderr=True)):
        for luma in _runs(file):
            for name, (_, make) in _MAKE.items():
                made = make(luma)
                runs = (made[n : n + _JUDGED] for n in range(0, len(made) - 12, _JUDGED))
                told[name] += [classify_interlacing(run).scan_type for run in runs]
    table = Table("runs of 13 frames", *(scan.value for scan in ScanType), title=f"{len(files)} clips", box=None)
    for name, scans in told.items():
        table.add_row(name, *(str(scans.count(scan)) for scan in ScanType))
    print_rates(table, told)


def print_rates(table: Table, told: dict[str, list[ScanType]]) -> None:
    """Precision and recall of each verdict; a run in which too little moves is told nothing about, and left out."""
    console = Console()
    console.print(table)
    pairs = [(_MAKE[name][0], scan) for name, scans in told.items() for scan in scans if scan != ScanType.UNDETERMINED]
    for scan in (ScanType.PROGRESSIVE, ScanType.INTERLACED, ScanType.TELECINED):
        right = pairs.count((scan, scan))
        said, true = sum(verdict == scan for _, verdict in pairs), sum(truth == scan for truth, _ in pairs)
        console.print(f"{scan}: precision {right / said:.4f}, recall {right / true:.4f}, of {true} told")


if __name__ == "__main__":
    main()
