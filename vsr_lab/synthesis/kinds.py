"""Kinds of rendered footage, with one interface."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from vsr_lab.core.errors import UserError
from vsr_lab.core.ranges import Name
from vsr_lab.synthesis.photo_pan import RATE as CAMERA_RATE
from vsr_lab.synthesis.photo_pan import choose_still, find_stills, render_camera
from vsr_lab.synthesis.screen import ViewName, render_screen

Pictures = Iterator[NDArray[np.uint8]]
Size = tuple[int, int]
Views = Annotated[Sequence[ViewName], Field(min_length=1)]


class Kind(ABC):
    """Base class of footage rendered from a seed.

    Args:
        name: first part of the clips' names, followed by the seed.
        content_type, licence, source: values for the manifest.
    """

    rate: int

    def __init__(self, name: Name, content_type: str, licence: str, *, source: str) -> None:
        self.name, self.content_type, self.licence, self.source = name, content_type, licence, source

    @abstractmethod
    def pictures(self, seed: int, frames: int, size: Size, zoom: float) -> Pictures:
        """Render the frames of the scene that a seed determines.

        Args:
            seed: seed of the scene.
            frames: number of frames.
            size: height and width.
            zoom: number of pixels per unit of length of the scene; twice the zoom and size give the same picture in
                twice the resolution.

        Returns:
            RGB uint8 frames (height, width, 3).

        Raises:
            UserError: the scene cannot be rendered.
        """

    def zooms(self, scale: int) -> tuple[float, float]:
        """Zooms with which HR and LR are rendered if HR is `scale` times as large as LR."""
        return 1.0, 1 / scale

    def facts(self, seed: int, frames: int, size: Size) -> dict[str, str]:
        """Row of the manifest for the clip of a seed: column -> value."""
        return {"content_type": self.content_type, "licence": self.licence, "source": self.source, "cuts": ""}


class ScreenKind(Kind):
    """Rendered desktops whose windows show `views`. LR is rendered with a device pixel ratio of 1, HR with `scale`.

    Args:
        views: what windows show: editor, page, terminal, sheet or slides.
        name, content_type, licence, source: as for `Kind`.
    """

    rate = 25

    def __init__(self, name: Name, content_type: str, licence: str, *, source: str, views: Views) -> None:
        super().__init__(name, content_type, licence, source=source)
        self._views = tuple(views)

    def pictures(self, seed: int, frames: int, size: Size, zoom: float) -> Pictures:
        return render_screen(seed, frames, height=size[0], width=size[1], zoom=zoom, views=self._views)

    def zooms(self, scale: int) -> tuple[float, float]:
        return float(scale), 1.0


class CameraKind(Kind):
    """A moving camera over the photographs in a folder. LR is rendered with larger sensor pixels.

    Args:
        stills: folder of the photographs.
        name, content_type, licence, source: as for `Kind`.
    """

    rate = CAMERA_RATE

    def __init__(self, name: Name, content_type: str, licence: str, *, source: str, stills: str | Path | None) -> None:
        super().__init__(name, content_type, licence, source=source)
        if stills is None:
            raise UserError("stills", "is required by kind=camera", "set stills=FOLDER, a folder of photographs")
        self._stills = find_stills(Path(stills))

    def pictures(self, seed: int, frames: int, size: Size, zoom: float) -> Pictures:
        return render_camera(self._stills, seed, frames, height=size[0], width=size[1], zoom=zoom)

    def facts(self, seed: int, frames: int, size: Size) -> dict[str, str]:
        still = choose_still(self._stills, seed, size)[0]
        known = {"content_type": still.content_type, "licence": still.licence, "source": still.source}
        return super().facts(seed, frames, size) | {key: value for key, value in known.items() if value}
