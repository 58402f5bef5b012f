"""The machine that a speed was measured on."""

import os
import platform
from pathlib import Path

_LINUX = Path("/proc/cpuinfo")


def describe_machine() -> str:
    """The processor, the number of cores and threads that are used, and the GPU if there is one."""
    import torch  # reading results does without it

    lines = _LINUX.read_text("utf-8").splitlines() if _LINUX.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = names[0] if names else platform.processor() or platform.machine()
    parts = [processor, f"{os.cpu_count()} cores", f"{torch.get_num_threads()} threads"]
    if torch.cuda.is_available():
        parts.append(torch.cuda.get_device_name())
    return ", ".join(parts)
