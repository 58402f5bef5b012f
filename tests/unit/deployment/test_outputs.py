"""Several outputs of one decoding and one run of the network: each is what it would be alone."""

from dataclasses import replace
from pathlib import Path

import pytest
from torch import Tensor

from tests.robustness.resuming import X264, Memory, failing_after, write_source
from vsr_lab.core.errors import UserError
from vsr_lab.core.network import State
from vsr_lab.deployment import Bundle, Encoding, upscale
from vsr_lab.deployment.pipeline import conversion, upscale_all

FRAMES = 44
MASTER = Encoding(codec="ffv1", pixel_format="bgr0", segment=0.4)  # ten frames
WEB = Encoding(codec="libx264", options=X264, segment=0.4, audio="transcode")
SMALL = replace(MASTER, height=48, audio="transcode")
NAMES = {"master.mkv": MASTER, "web.mp4": WEB, "small.mkv": SMALL}


class Counting(Memory):
    """Counts the frames that it is run on."""

    runs = 0

    def step(self, lr: Tensor, state: State) -> tuple[Tensor, State]:
        self.runs += lr.shape[-2:] == (32, 64)  # not for an estimate of memory
        return super().step(lr, state)


@pytest.fixture
def counting(bundle: Bundle) -> Bundle:
    return replace(bundle, network=Counting())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Pictures and a tone."""
    return write_source(tmp_path / "source.mkv", FRAMES)


@pytest.fixture
def alone(counting: Bundle, source: Path, tmp_path: Path) -> dict[str, bytes]:
    """Content of each output that is made by itself."""
    (tmp_path / "alone").mkdir()
    for name, encoding in NAMES.items():
        upscale(replace(counting, network=Memory()), source, tmp_path / "alone" / name, encoding=encoding)
    return {name: (tmp_path / "alone" / name).read_bytes() for name in NAMES}


def test_each_is_as_if_made_alone(counting: Bundle, source: Path, tmp_path: Path, alone: dict[str, bytes]) -> None:
    made = upscale_all(counting, source, {tmp_path / name: encoding for name, encoding in NAMES.items()})
    assert [name for name, content in alone.items() if (tmp_path / name).read_bytes() != content] == []
    assert [note.output.file for note in made] == [*NAMES]
    assert [note.plan.video.codec for note in made] == ["ffv1", "libx264", "ffv1"]
    assert isinstance(counting.network, Counting) and counting.network.runs == FRAMES
    assert all((tmp_path / f"{name}.provenance.json").is_file() for name in NAMES)


@pytest.mark.parametrize("stop", [25, 62, 131])
def test_it_goes_on_after_an_interruption(
    counting: Bundle, source: Path, tmp_path: Path, alone: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    outputs = {tmp_path / name: encoding for name, encoding in NAMES.items()}
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(conversion, "FrameEncoder", failing_after(stop, KeyboardInterrupt()))
        upscale_all(counting, source, outputs)
    assert not any(path.exists() for path in outputs)
    second = Counting()
    upscale_all(replace(counting, network=second), source, outputs)
    done = 10 * min(3, stop // 30)  # frames of finished segments
    assert second.runs == FRAMES - done
    assert [name for name, content in alone.items() if (tmp_path / name).read_bytes() != content] == []


def test_one_that_cannot_be_written_refuses_all(counting: Bundle, source: Path, tmp_path: Path) -> None:
    outputs = {tmp_path / "a.mkv": MASTER, tmp_path / "b.mp4": replace(MASTER, height=5000)}
    with pytest.raises(UserError, match="height: must be <= 64"):
        upscale_all(counting, source, outputs)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "source.mkv"]
    assert isinstance(counting.network, Counting) and counting.network.runs == 0
