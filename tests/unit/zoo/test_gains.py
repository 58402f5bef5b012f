"""Gains of a network for degraded footage, from the summaries of evaluations."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from vsr_lab.core.errors import UserError

SCRIPTS = Path(__file__).parents[3] / "scripts/zoo"


def scores(**psnr: float) -> dict[str, dict[str, float | None]]:
    return {clip: {"psnr": value, "ssim": 0.9, "flicker": 1.0, "tof": None} for clip, value in psnr.items()}


@pytest.fixture(autouse=True)
def _runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import gains

    runs = {"bicubic": scores(a=30, b=31), "network": scores(a=31, b=33), "elsewhere": scores(a=30, c=31)}
    monkeypatch.setattr(gains, "read_record", lambda path, _: SimpleNamespace(per_clip=runs[path.parent.name]))


def test_the_last_run_is_compared_with_every_other_one() -> None:
    from gains import table

    other, own = table([Path("x/bicubic"), Path("y/network")]).splitlines()[2:]
    assert other == "| bicubic | 30.50 | 0.9000 | 1.00 | +1.50 (-4.85 to +7.85) | 2 of 2 |"  # 12.706 * 0.5
    assert own.startswith("| this network | 32.00 | 0.9000 | 1.00 |")


def test_runs_of_other_clips_are_refused() -> None:
    from gains import table

    with pytest.raises(UserError, match="elsewhere: has other clips than network"):
        table([Path("elsewhere"), Path("network")])
