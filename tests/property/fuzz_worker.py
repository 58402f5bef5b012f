"""Reads each footage named on standard input, whole and in part, and says how that went: one word, or the exception."""

import resource
import sys
from pathlib import Path

from vsr_lab.core.errors import UserError
from vsr_lab.video import ReadOptions, open_footage, read_chunks


def _outcome(path: Path, read_options: ReadOptions) -> str:
    try:
        footage = open_footage(path, read_options=read_options)
        middle = footage.frames // 2
        footage.read(middle, min(middle + 3, footage.frames))
        seen = sum(len(clip.frames) for clip in read_chunks(footage, 0, footage.frames, 10))
        return "frames" if seen == footage.frames > 0 else f"gave {seen} of {footage.frames} frames"
    except UserError as error:
        return "refused" if str(error).strip() and "\n" not in str(error) else f"unnamed: {error!r}"
    except Exception as error:
        return f"{type(error).__name__}: {error}".replace("\n", " ")


MEMORY = 2 << 30  # bytes: what asks for more ends in an exception, which counts as wrong

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    how = ReadOptions(damaged="keep") if sys.argv[1] == "keep" else ReadOptions()
    print("ready", flush=True)
    for line in sys.stdin:
        print(_outcome(Path(line.strip()), how), flush=True)
