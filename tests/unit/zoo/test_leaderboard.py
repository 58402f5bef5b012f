"""The leaderboard's page from its tables, and published weights in files that are judged."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vsr_lab.footage.tables import write_rows

SCRIPTS = Path(__file__).parents[3] / "scripts/zoo"


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Two specialists and their start on two clips of two types."""
    psnr = {
        "live_action_small_x4": {"live_action": (31, 32.5), "animation": (30, 30)},
        "animation_small_x4": {"live_action": (30, 33), "animation": (31, 32)},
        "span_ch48": {"live_action": (30, 31), "animation": (30.5, 29)},
        "bicubic": {"live_action": (25, 26), "animation": (24, 25)},
    }
    rows = [
        {
            **{"suite": f"{content}_x4", "clip": f"{content}{n}", "candidate": name, "version": "0"},
            **{"ours": int(name.endswith("_x4")), "psnr": value, "ssim": 0.9, "flicker": 1, "legibility": ""},
        }
        for name, types in psnr.items()
        for content, values in types.items()
        for n, value in enumerate(values)
    ]
    write_rows(tmp_path / "scores.csv", rows)
    costs = [
        {"candidate": name, "scale": 4, "version": "0", "ms": 100 + n, "parameters": 430000 * (n < 3)}
        | {"threads": 2, "machine": "a CPU"}
        for n, name in enumerate(psnr)
    ]
    write_rows(tmp_path / "cost.csv", costs)
    return tmp_path


def test_the_page_ranks_candidates_and_compares_ours_with_their_start(tables: Path) -> None:
    from leaderboard import write_page

    write_page(tables)
    page = (tables / "leaderboard.md").read_text()
    section = page.split("## live_action_x4")[1].split("##")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    head = ("candidate", "PSNR-Y", "SSIM-Y", "flicker", "gain over start, dB", "clips with a gain", "ms", "parameters")
    assert lines[0] == f"| {' | '.join(head)} |"
    # The gains are 1 and 1.5, and 0 and 2: t(0.975, 1) is 12.706, the errors of the means 0.25 and 1.
    assert lines[2:6] == [
        "| **live_action_small_x4** | 31.75 | 0.9000 | 1.00 | +1.25 (-1.93 to +4.43) | 2 of 2 | 100 | 0.43 M |",
        "| **animation_small_x4** | 31.50 | 0.9000 | 1.00 | +1.00 (-11.71 to +13.71) | 1 of 2 | 101 | 0.43 M |",
        "| span_ch48 | 30.50 | 0.9000 | 1.00 | - | - | 102 | 0.43 M |",
        "| bicubic | 25.50 | 0.9000 | 1.00 | - | - | 103 | - |",
    ]
    assert "| live_action1 | 32.50 / 1.00 | 33.00 / 1.00 | 31.00 / 1.00 | 26.00 / 1.00 |" in section
    assert (tables / "quality_cost.png").stat().st_size > 1000


def test_specialists_are_compared_across_content_types(tables: Path) -> None:
    from leaderboard import write_page

    write_page(tables)
    section = (tables / "leaderboard.md").read_text().split("## Across content types, x4")[1]
    assert "| **animation_small_x4** | 31.50 | 31.50 |" in section
    assert "| clips on which the type's own small leads | 1 of 2 | 2 of 2 |" in section
    assert "| clips on which the type's own nano leads | - | - |" in section


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("animation_nano_x4", "span_ch28"),
        ("live_action_small_x2", "span_ch48_x2"),
        ("live_action_nano_x2", "bicubic"),
        ("live_action_stream_nano_x2", "animation_nano_x2"),
        ("basicvsr", None),
    ],
)
def test_a_network_is_compared_with_what_it_began_from(name: str, start: str | None) -> None:
    from leaderboard import start_of

    assert start_of(name) == start


def packed(tensor: Tensor, half: bool) -> bytes:
    """Weights of a convolution as ncnn stores them."""
    if not half:
        return bytes(4) + tensor.numpy().astype(np.float32).tobytes()
    data = tensor.numpy().astype(np.float16).tobytes()
    return (0x01306B47).to_bytes(4, "little") + data + bytes(-len(data) % 4)


@pytest.mark.parametrize("half", [True, False])
def test_weights_of_ncnn_are_converted_in_their_order(half: bool) -> None:
    from published import animevideo

    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(3, 5, 3), nn.PReLU(5), nn.Conv2d(5, 1, 3)).half().float()
    text = "\n".join(
        [
            *("7767517", "5 5", "Input in 0 1 data", "Split split 1 2 data a b"),
            *("Convolution c0 1 1 a c 0=5 1=3 4=1 5=1 6=135", "PReLU p 1 1 c d 0=5"),
            *("Convolution c1 1 1 d e 0=1 1=3 4=1 5=1 6=45", "Interp up 1 1 b f 0=1 1=4.000000e+00"),
        ]
    )
    first, slope, last = body
    rest = [tensor.detach().numpy().tobytes() for tensor in (first.bias, slope.weight, last.bias)]
    weights = packed(first.weight.detach(), half) + rest[0] + rest[1] + packed(last.weight.detach(), half) + rest[2]
    found = animevideo(text, weights)
    expected = nn.ModuleDict({"body": body}).state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    with pytest.raises(ValueError, match="the layers need"):
        animevideo(text, weights + bytes(4))
