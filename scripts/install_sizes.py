"""What the package and its extras take on disk: python scripts/install_sizes.py

Reads what is installed in this environment. An extra counts what the base does not bring already.
"""

import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def add(requirements: list[str], sizes: dict[str, int], extra: str = "") -> None:
    """Add to sizes the bytes of each distribution that the requirements need, directly or not."""
    for requirement in map(Requirement, requirements):
        name = requirement.name.lower().replace("_", "-")
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue
        if name not in sizes:
            paths = [Path(str(file.locate())) for file in installed.files or ()]
            sizes[name] = sum(path.stat().st_size for path in paths if path.is_file())
            add(installed.requires or [], sizes)
        for chosen in requirement.extras:
            add(installed.requires or [], sizes, chosen)


def main() -> None:
    base: dict[str, int] = {}
    add(PROJECT["dependencies"], base)
    cuda = {name for name in base if name.startswith("nvidia-") or name in {"torch", "triton", "cuda-bindings"}}
    print(f"| base | {len(base)} packages | {_mib(base.values())} MiB |")
    print(f"| of that, torch and CUDA | {len(cuda)} | {_mib(base[name] for name in cuda)} MiB |")
    for extra, requirements in PROJECT["optional-dependencies"].items():
        sizes = dict(base)
        add(requirements, sizes)
        more = sizes.keys() - base.keys()
        print(f"| [{extra}] | {len(more)} | {_mib(sizes[name] for name in more)} MiB |")


def _mib(sizes: Iterable[int]) -> int:
    return round(sum(sizes) / 2**20)


if __name__ == "__main__":
    main()
