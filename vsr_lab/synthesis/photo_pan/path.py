"""Camera paths: eased motion between key poses, and camera shake."""

from dataclasses import dataclass
from math import cos, hypot, pi, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsr_lab.core.errors import UserError

_SHARP = 1.3  # source pixels a pixel of the frame that make the frame sharper than the photograph
_TRIES = 4  # poses drawn, of which the one with most detail is aimed at
_HZ = (0.4, 0.9, 1.7, 3.1, 5.6)  # of the shake: a hand moves slowly and far, fast and little


@dataclass(frozen=True)
class Pose:
    """Position and state of the camera at a moment.

    Attributes:
        x, y: centre of the view in pixels of the photograph (source pixels).
        footprint: source pixels per pixel of the frame.
        roll: rotation about the optical axis in radians.
        tilt: perspective (horizontal, vertical), as the relative change of scale at the edge of the frame.
        stops: change of the exposure in stops.
        blur: defocus in pixels of the frame.
        shift: parallax (x, y): source pixels by which near objects move relative to far ones.
    """

    x: float
    y: float
    footprint: float
    roll: float = 0.0
    tilt: tuple[float, float] = (0.0, 0.0)
    stops: float = 0.0
    blur: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Look:
    """Type of camera of a clip.

    Attributes:
        pace: mean time between two key poses in seconds.
        speed: maximum of the mean speed between two key poses, in frame widths per second.
        roll, tilt, stops, blur: maxima of the absolute values in a clip, see `Pose`.
        shake: maximum displacement by camera shake, as a fraction of the frame width.
        parallax: maximum motion of near objects relative to far ones, as a fraction of the frame width.
        shutter: opening angle of the shutter in degrees, 0..360; 360 is the whole frame period.
    """

    pace: float
    speed: float
    roll: float
    tilt: float
    shake: float
    stops: float
    blur: float
    parallax: float
    shutter: float


def draw_look(rng: np.random.Generator) -> Look:
    """Choose a type of camera at random: tripod, dolly or hand-held, about equally likely."""
    manner = rng.choice(3, p=[0.3, 0.3, 0.4])
    blurs = rng.random() < 0.2
    return Look(
        pace=float(np.exp(rng.uniform(np.log(0.8), np.log(3.0)))),
        speed=float(np.exp(rng.uniform(np.log(0.03), np.log(0.5)))),
        roll=float(rng.uniform(0, (0.01, 0.06, 0.05)[manner])),
        tilt=float(rng.uniform(0, (0.02, 0.10, 0.06)[manner])),
        shake=float((0.0, rng.uniform(0, 0.001), rng.uniform(0.001, 0.006))[manner]),
        stops=float(rng.uniform(0, 0.3)) * float(rng.random() < 0.6),
        blur=float(rng.uniform(0.8, 2.5)) * float(blurs),
        parallax=float(rng.uniform(0, (0.0, 0.05, 0.03)[manner])),
        shutter=float(rng.choice([0.0, 90.0, 180.0, 270.0], p=[0.2, 0.25, 0.4, 0.15])),
    )


class CameraPath:
    """Path of a camera over a picture. At every moment the whole frame is inside the picture.

    Key poses are drawn from a convex set of poses for which this is true, with a margin for roll, tilt, shake and
    parallax. Since the set is convex, it contains the poses between two key poses too.

    Args:
        rng: random generator.
        picture: height and width of the picture in pixels.
        frame: height and width of the frames at zoom 1, in pixels.
        look: type of camera.
        detail: map of the local detail of the picture, by which the camera is aimed at detailed places; None: it is
            aimed at random places.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        picture: tuple[int, int],
        frame: tuple[int, int],
        *,
        look: Look,
        detail: NDArray[Any] | None = None,
    ) -> None:
        self.look, self.frame = look, frame
        self._rng = rng
        self._picture, self._detail = picture, detail
        width = frame[1]
        self._reach = _reach(frame, look)
        widest = largest_footprint(picture, frame, look)
        if widest < 1:
            size, wanted = (f"{w}x{h}" for h, w in (picture, frame))
            raise UserError(
                f"a still of {size}",
                f"is too small for frames of {wanted}",
                "use a larger photograph, or a smaller size=",
            )
        self._near, self._far = min(_SHARP, 0.95 * widest), widest
        # A zoom stays within a factor of 1.7, so that the clip keeps its sharpness.
        self._near = float(rng.uniform(self._near, max(self._near, 0.6 * self._far)))
        self._far = min(self._far, 1.7 * self._near)
        self._waves = [(rng.normal(size=4), rng.uniform(0, 2 * pi, 4), hz * rng.uniform(0.8, 1.25)) for hz in _HZ]
        self._shake = look.shake * width
        self._keys = [(0.0, self._aim())]

    def pose(self, seconds: float) -> Pose:
        """The pose at a time in seconds, from 0."""
        while self._keys[-1][0] <= seconds:
            pause = 0.0 if self._rng.random() < 0.7 else float(self._rng.uniform(0.1, 0.6))
            at, last = self._keys[-1]
            if pause:
                self._keys.append((at + pause, last))
            lasts = self.look.pace * float(self._rng.uniform(0.6, 1.4))
            self._keys.append((at + pause + lasts, self._next(last, lasts)))
        after = next(i for i, (at, _) in enumerate(self._keys) if at > seconds)
        (start, one), (stop, two) = self._keys[after - 1], self._keys[after]
        share = (seconds - start) / (stop - start)
        ease = share**3 * (10 - 15 * share + 6 * share**2)  # least jerk: Flash and Hogan 1985
        values = one + (two - one) * ease
        jitter = self._jitter(seconds)
        return Pose(
            x=values[0] + jitter[0] * values[2],
            y=values[1] + jitter[1] * values[2],
            footprint=values[2],
            roll=values[3] + jitter[2] / self.frame[1],
            tilt=(values[4], values[5]),
            stops=values[6],
            blur=abs(values[7]),
            shift=(values[8], values[9]),
        )

    def _next(self, last: NDArray[np.float64], seconds: float) -> NDArray[np.float64]:
        """The next key pose: towards a random pose, as far as the speed allows."""
        aim = self._aim()
        way = hypot(*(aim[:2] - last[:2])) / last[2] + abs(aim[2] / last[2] - 1) * self.frame[1] / 2
        return last + (aim - last) * min(1.0, self.look.speed * self.frame[1] * seconds / max(way, 1e-9))

    def _aim(self) -> NDArray[np.float64]:
        """Of several random poses, the one that shows most detail; without a map of the detail, the first one."""
        poses = [self._any() for _ in range(_TRIES)]
        detail = self._detail
        if detail is None:
            return poses[0]
        rows, columns = detail.shape
        high, wide = self._picture
        return max(poses, key=lambda p: float(detail[int(p[1] / high * rows), int(p[0] / wide * columns)]))

    def _any(self) -> NDArray[np.float64]:
        """A random allowed pose as numbers."""
        draw, look = self._rng.uniform, self.look
        footprint = float(draw(self._near, self._far))
        low, high = (self._reach[i] * footprint for i in (0, 1))
        shift = look.parallax * self.frame[1] * footprint / 2
        angle = float(draw(0, 2 * pi))
        return np.array(
            [
                draw(high, self._picture[1] - high),
                draw(low, self._picture[0] - low),
                footprint,
                draw(-look.roll, look.roll),
                *draw(-look.tilt, look.tilt, 2),
                draw(-look.stops, look.stops),
                draw(-look.blur, look.blur),  # half of the keys of a focus pull lie before the picture, half behind
                shift * cos(angle),
                shift * sin(angle),
            ]
        )

    def _jitter(self, seconds: float) -> NDArray[np.float64]:
        """Band-limited noise, each value within +-shake pixels of the frame."""
        total, most = np.zeros(4), np.zeros(4)
        for weight, phase, hz in self._waves:
            total += weight / hz * np.sin(2 * pi * hz * seconds + phase)
            most += np.abs(weight) / hz
        return self._shake * total / most


def largest_footprint(picture: tuple[int, int], frame: tuple[int, int], look: Look) -> float:
    """Maximum footprint for which the frame, with any roll and tilt, is inside the picture."""
    low, high = _reach(frame, look)
    return min(picture[0] / (2 * low), picture[1] / (2 * high))


def _reach(frame: tuple[int, int], look: Look) -> tuple[float, float]:
    """Maximum distance of the frame's border from its centre, down and across, in frame pixels."""
    high, wide = frame[0] / 2 + 2, frame[1] / 2 + 2
    turn = look.roll + look.shake
    lean = 1 / (1 - 2 * look.tilt)
    extra = look.shake * frame[1] + look.parallax * frame[1] / 2 + 2
    return (high * cos(turn) + wide * sin(turn)) * lean + extra, (wide * cos(turn) + high * sin(turn)) * lean + extra


def speed(one: Pose, two: Pose) -> float:
    """Approximate maximum motion in the middle of the frame between two poses, in frame pixels."""
    way = hypot(two.x - one.x, two.y - one.y) + hypot(two.shift[0] - one.shift[0], two.shift[1] - one.shift[1])
    return way / min(one.footprint, two.footprint)
