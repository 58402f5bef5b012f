"""The moving camera: what it is told to do it does, to a fraction of a pixel; no border shows; nothing is softened."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.registration import phase_cross_correlation

from vsr_lab.core.errors import UserError
from vsr_lab.synthesis.photo_pan import choose_still, film, find_stills, render_camera
from vsr_lab.synthesis.photo_pan.lens import Lens
from vsr_lab.synthesis.photo_pan.path import CameraPath, Look, Pose, draw_look
from vsr_lab.synthesis.photo_pan.stills import nearness, read_linear, to_bytes

SIZE = (96, 160)
TRIPOD = Look(pace=1, speed=0.2, roll=0, tilt=0, shake=0, stops=0, blur=0, parallax=0, shutter=0)


def texture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Detail at all sizes, as in a photograph."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3))
    for octave in range(8):
        grid = rng.normal(size=(max(2, height >> octave), max(2, width >> octave), 3))
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * 1.5**octave
    return np.clip(128 + 40 * total / total.std(), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def stills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stills")
    for seed in range(3):
        Image.fromarray(texture(480, 720, seed)).save(folder / f"still_{seed}.png")
    (folder / "manifest.csv").write_text("path,content_type,licence,source\nstill_1.png,cartoon,CC0,a friend\n")
    return folder


@pytest.fixture(scope="module")
def picture(stills: Path) -> NDArray[np.float32]:
    return read_linear(stills / "still_0.png")


def shot(
    picture: NDArray[np.float32], *poses: Pose, size: tuple[int, int] = SIZE, zoom: float = 1
) -> NDArray[np.uint8]:
    return to_bytes(Lens(picture, nearness(picture), size, zoom=zoom).frame(list(poses)))


def displacement(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> NDArray[np.float64]:
    """By correlation in the frequency domain to a 50th of a pixel (Guizar-Sicairos 2008), x and y."""
    window = cv2.createHanningWindow(one.shape[1::-1], cv2.CV_64F)
    a, b = ((frame.mean(2) - frame.mean()) * window for frame in (one, two))
    found, _, _ = phase_cross_correlation(a, b, upsample_factor=50, normalization=None)
    return -found[::-1]


def offset(one: NDArray[np.uint8], two: NDArray[np.uint8]) -> float:
    """By least squares on the gradients, which is more exact where there is next to none."""
    a, b = (frame.astype(np.float64).mean(2) for frame in (one, two))
    gy, gx = np.gradient((a + b) / 2)
    normal = [[(gx * gx).sum(), (gx * gy).sum()], [(gx * gy).sum(), (gy * gy).sum()]]
    return float(np.hypot(*np.linalg.solve(normal, [(gx * (b - a)).sum(), (gy * (b - a)).sum()])))


@pytest.mark.parametrize(("dx", "dy"), [(1.0, 0.0), (3.5, -2.25), (0.3, 0.7), (-6.0, 4.0)])
def test_a_pan_of_so_many_pixels_moves_the_picture_by_so_many(
    picture: NDArray[np.float32], dx: float, dy: float
) -> None:
    one = shot(picture, Pose(360, 240, 1.5), size=(240, 320))
    two = shot(picture, Pose(360 + 1.5 * dx, 240 + 1.5 * dy, 1.5), size=(240, 320))
    assert displacement(one, two) == pytest.approx([-dx, -dy], abs=0.05)


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_a_roll_turns_the_picture_about_the_frames_middle(picture: NDArray[np.float32], quarter: int) -> None:
    upright = shot(picture, Pose(360, 240, 1.5), size=(120, 120))
    rolled = shot(picture, Pose(360, 240, 1.5, roll=quarter * np.pi / 2), size=(120, 120))
    assert np.abs(np.rot90(upright, quarter).astype(int) - rolled).max() <= 2


@pytest.mark.parametrize("footprint", [1.4, 2.0, 2.73])
def test_a_frame_is_a_cubic_downscale_of_the_part_that_it_shows(picture: NDArray[np.float32], footprint: float) -> None:
    """Against an independent reference: PIL's antialiased bicubic (a = -0.5) of that part, in linear light."""
    frame = shot(picture, Pose(351.3, 243.8, footprint)).astype(float)
    half = SIZE[1] / 2 * footprint, SIZE[0] / 2 * footprint
    part = 351.3 - half[0], 243.8 - half[1], 351.3 + half[0], 243.8 + half[1]
    bands = [
        Image.fromarray(picture[..., band]).resize(SIZE[::-1], Image.Resampling.BICUBIC, part) for band in range(3)
    ]
    reference = to_bytes(np.stack([np.asarray(band) for band in bands], -1)).astype(float)
    inner = np.s_[2:-2, 2:-2]  # PIL sees nothing beyond the part
    assert np.abs(frame - reference)[inner].mean() < 1.0
    assert np.abs(frame - reference)[inner].max() < 12


@pytest.mark.parametrize("footprint", [2.0, 2.7, 5.3])
def test_detail_beyond_the_frame_does_not_alias(footprint: float) -> None:
    """Stripes finer than a frame pixel become grey."""
    stripes = np.broadcast_to((np.arange(1000) % 2)[None, :, None], (800, 1000, 3)).astype(np.float32)
    frame = Lens(stripes, nearness(stripes), SIZE, zoom=1).frame([Pose(500, 400, footprint)])
    assert frame.std() < 0.03
    assert frame.mean() == pytest.approx(0.5, abs=0.01)


def test_motion_blur_takes_the_energy_along_the_way_and_more_with_speed(picture: NDArray[np.float32]) -> None:
    def energy(speed: float) -> tuple[float, float]:
        poses = [Pose(360 + 1.5 * speed * (i + 0.5) / 24, 240, 1.5) for i in range(24)]
        frame = shot(picture, *poses).astype(float).mean(2)
        return float(np.square(np.diff(frame, axis=1)).mean()), float(np.square(np.diff(frame, axis=0)).mean())

    along, across = zip(*(energy(speed) for speed in (0, 2, 5, 12)), strict=True)
    assert all(slow > 1.3 * fast for slow, fast in pairwise(along))
    assert along[3] < 0.2 * along[0]
    assert across[3] > 2 * along[3]


def test_a_film_is_blurred_as_its_shutter_says(stills: Path) -> None:
    still = find_stills(stills)[0]
    fast = Look(pace=0.4, speed=1.5, roll=0, tilt=0, shake=0, stops=0, blur=0, parallax=0, shutter=270)
    sharpness = []
    for shutter in (0.0, 270.0):
        look = Look(**{**vars(fast), "shutter": shutter})
        path = CameraPath(np.random.default_rng(4), still.size, SIZE, look=look)
        frames = np.stack(list(film(still, path, look, frames=14, size=SIZE, zoom=1))).astype(float)
        sharpness.append(np.square(np.diff(frames, axis=2)).mean())
    assert sharpness[1] < 0.9 * sharpness[0]


def test_exposure_drifts_within_its_bounds(stills: Path) -> None:
    look = Look(pace=1, speed=1e-6, roll=0, tilt=0, shake=0, stops=0.3, blur=0, parallax=0, shutter=0)
    path = CameraPath(np.random.default_rng(0), (480, 720), SIZE, look=look)
    stops = [path.pose(t / 25).stops for t in range(200)]
    assert max(map(abs, stops)) <= 0.3
    far = Look(**{**vars(look), "speed": 9.0})
    moving = CameraPath(np.random.default_rng(0), (480, 720), SIZE, look=far)
    stops = [moving.pose(t / 25).stops for t in range(200)]
    assert 0.1 < np.ptp(stops) <= 0.6
    assert np.abs(np.diff(stops)).max() < 0.08  # no jumps


@pytest.mark.parametrize("seed", range(40))
def test_no_border_ever_shows(seed: int) -> None:
    """Every sample of every frame lies on the picture, parallax and the filter's margin included."""
    rng = np.random.default_rng(seed)
    look, size = draw_look(rng), (400 + 20 * (seed % 7), 560 + 40 * (seed % 5))
    path = CameraPath(rng, size, SIZE, look=look)
    lens = Lens(np.zeros((*size, 3), np.float32), np.zeros((8, 8), np.float32), SIZE, zoom=1)
    u = np.array([[-SIZE[1] / 2 - 2, 0, SIZE[1] / 2 + 2]])
    v = np.array([[-SIZE[0] / 2 - 2], [0], [SIZE[0] / 2 + 2]])
    for t in range(150):
        pose = path.pose(t / 25)
        x, y = lens._places(pose, u, v)
        dx, dy = (abs(part) / 2 for part in pose.shift)
        assert dx <= x.min() and x.max() <= size[1] - dx
        assert dy <= y.min() and y.max() <= size[0] - dy


@pytest.mark.parametrize("seed", range(10))
def test_large_photographs_are_always_shrunk(seed: int) -> None:
    rng = np.random.default_rng(seed)
    path = CameraPath(rng, (1000, 1600), (360, 640), look=draw_look(rng))
    assert min(path.pose(t / 5).footprint for t in range(60)) >= 1.3


def test_the_same_seed_films_the_same_and_others_differ(stills: Path) -> None:
    found = find_stills(stills)
    one, again, other = (
        np.stack(list(render_camera(found, seed, 6, height=SIZE[0], width=SIZE[1]))) for seed in (3, 3, 4)
    )
    assert np.array_equal(one, again)
    assert np.abs(one.astype(float) - other).mean() > 5
    assert np.array_equal(one[:4], np.stack(list(render_camera(found, 3, 4, height=SIZE[0], width=SIZE[1]))))


@pytest.mark.parametrize("seed", [0, 1, 5])
def test_half_the_zoom_is_the_same_film_from_a_coarser_sensor(stills: Path, seed: int) -> None:
    found = find_stills(stills)
    fine = list(render_camera(found, seed, 4, height=96, width=160))
    coarse = list(render_camera(found, seed, 4, height=48, width=80, zoom=0.5))
    for big, small in zip(fine, coarse, strict=True):
        shrunk = cv2.resize(big, (80, 48), interpolation=cv2.INTER_AREA)
        assert offset(small, shrunk) < 0.02
        assert np.abs(small.astype(float) - shrunk).mean() < 4


def test_parallax_moves_near_against_far(picture: NDArray[np.float32]) -> None:
    near = np.zeros((60, 90), np.float32)
    near[30:] = 1  # the lower half
    lens = Lens(picture, near, (240, 320), zoom=1)
    still, shifted = (to_bytes(lens.frame([Pose(360, 240, 1.5, shift=(d, 0))])) for d in (0.0, 9.0))
    upper, lower = displacement(still[:108], shifted[:108])[0], displacement(still[132:], shifted[132:])[0]
    assert upper == pytest.approx(3, abs=0.1)
    assert lower == pytest.approx(-3, abs=0.1)


def test_what_the_folder_says_of_a_still_is_kept(stills: Path) -> None:
    found = {still.path.name: still for still in find_stills(stills)}
    assert found["still_1.png"].licence == "CC0"
    assert found["still_1.png"].source == "still_1.png; a friend"
    assert found["still_0.png"].licence == ""


def test_a_photograph_lying_on_its_side_stands_up(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(texture(60, 90)).save(tmp_path / "side.jpg", exif=exif)
    [still] = find_stills(tmp_path)
    assert still.size == read_linear(still.path).shape[:2] == (90, 60)


def test_mistakes_are_told(tmp_path: Path, stills: Path) -> None:
    with pytest.raises(UserError, match="is not a folder"):
        find_stills(tmp_path / "nowhere")
    with pytest.raises(UserError, match="contains no pictures"):
        find_stills(tmp_path)
    with pytest.raises(UserError, match="too small for frames of 1920x1080"):
        choose_still(find_stills(stills), 0, (1080, 1920))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"broken\.png: is not a picture that can be read"):
        find_stills(tmp_path)


def test_linear_light_and_back_is_exact(tmp_path: Path) -> None:
    levels = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2).repeat(8, 0)
    Image.fromarray(levels).save(tmp_path / "levels.png")
    assert np.array_equal(to_bytes(read_linear(tmp_path / "levels.png")), levels)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (b"path;licence\na.png;CC0\n", "separate columns by commas"),
        (b"path,licence\na.png,\xff\n", "it is not UTF-8 text"),
        (b"file,licence\na.png,CC0\n", "has no column `path`"),
        (b"path,path\na.png,b.png\n", "has two columns named path"),
    ],
)
def test_a_wrong_table_of_stills_is_named(tmp_path: Path, table: bytes, told: str) -> None:
    (tmp_path / "manifest.csv").write_bytes(table)
    with pytest.raises(UserError, match=r"manifest\.csv") as caught:
        find_stills(tmp_path)
    assert told in str(caught.value)
