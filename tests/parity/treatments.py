"""What a treated stream should give: fields weaved here, film frames kept, BT.2390 in float64 by the recommendations.

Shares with the reader only the codecs and, for bwdif, libavfilter, which is run here once over the whole file.
"""

from pathlib import Path

import av
import av.error
import numpy as np

from tests.parity.planes import Array, Planes, planes_of

_TELECINE = ((0, 0), (1, 1), (1, 2), (2, 3), (3, 3))  # of four film frames: whose first and whose second field
_WHITE, _HLG_PEAK = 203.0, 1000.0  # cd/m2: BT.2408's reference white; the display of BT.2100's gamma of 1.2
# CIE 1931 x, y of red, green, blue (BT.2020-2, BT.709-6) and of white, D65.
_PRIMARIES = {
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    "bt709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
}
_D65 = (0.3127, 0.3290)


def pairs_of_moments(weave: str, count: int) -> list[tuple[int, int]]:
    """Of each coded frame the moments of its top and of its bottom field. weave: "" for whole frames, "tff" and "bff"
    for video of two moments a frame, "3:2" for film."""
    if weave == "3:2":
        return [(4 * (n // 5) + _TELECINE[n % 5][0], 4 * (n // 5) + _TELECINE[n % 5][1]) for n in range(count)]
    if weave:
        return [(2 * n, 2 * n + 1) if weave == "tff" else (2 * n + 1, 2 * n) for n in range(count)]
    return [(n, n) for n in range(count)]


def weaved(top: Planes, bottom: Planes) -> Planes:
    """Even rows of one, odd rows of the other, plane by plane."""
    return [np.where(np.arange(len(a))[:, None] % 2, b, a) for a, b in zip(top, bottom, strict=True)]


def by_bwdif(path: Path, parity: str) -> list[Planes]:
    """Every frame of a file through libavfilter's bwdif, from its start to its end."""
    found: list[Planes] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        graph = av.filter.Graph()
        options = f"mode=send_frame:parity={parity}:deint=all"
        nodes = [graph.add_buffer(template=stream), graph.add("bwdif", options), graph.add("buffersink")]
        graph.link_nodes(*nodes).configure()
        for n, frame in enumerate([*container.decode(stream), None]):
            if frame:
                frame.pts, frame.time_base = n, stream.time_base
            graph.vpush(frame)
            try:
                while True:
                    found.append(planes_of(graph.vpull()))
            except (av.error.BlockingIOError, av.error.EOFError):
                continue
    return found


def tone_mapped(rgb: Array, hdr: str, peak: float) -> Array:
    """R'G'B' of BT.2020 with PQ or HLG to R'G'B' of BT.709 in [0, 1]. peak: cd/m2 that a PQ source was graded on."""
    light = _pq(rgb) if hdr == "PQ" else _hlg(rgb)
    brightest = light.max(-1, keepdims=True).clip(1e-6)
    shown = _pq(_eetf(_pq_inverse(brightest), peak if hdr == "PQ" else _HLG_PEAK))
    to_709 = np.linalg.inv(_to_xyz("bt709")) @ _to_xyz("bt2020")
    return ((light * (shown / brightest / _WHITE)) @ to_709.T).clip(0, 1) ** (1 / 2.4)


def _pq(signal: Array) -> Array:
    """ST 2084, equation 4.1."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = signal ** (1 / m2)
    return 10_000 * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)


def _pq_inverse(light: Array) -> Array:
    """ST 2084, equation 5.2."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = (light / 10_000) ** m1
    return ((c1 + c2 * power) / (1 + c3 * power)) ** m2


def _hlg(signal: Array) -> Array:
    """BT.2100-2, table 5: inverse OETF, then the OOTF of a display of 1000 cd/m2 with black at 0."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    return _HLG_PEAK * luminance[..., None] ** (1.2 - 1) * scene


def _eetf(signal: Array, peak: float) -> Array:
    """BT.2390-8, 5.4.1, steps 1, 2 and 4 (both blacks at 0)."""
    source = float(_pq_inverse(np.array(peak)))
    most = float(_pq_inverse(np.array(_WHITE))) / source
    e1 = (signal / source).clip(0, 1)
    ks = 1.5 * most - 0.5
    t = (e1 - ks) / (1 - ks)
    p = (2 * t**3 - 3 * t**2 + 1) * ks + (t**3 - 2 * t**2 + t) * (1 - ks) + (-2 * t**3 + 3 * t**2) * most
    return np.where(e1 < ks, e1, p) * source


def _to_xyz(name: str) -> Array:
    """Linear RGB to XYZ, from primaries and white (SMPTE RP 177)."""
    xyz = np.array([[x / y, 1, (1 - x - y) / y] for x, y in (*_PRIMARIES[name], _D65)])
    return xyz[:3].T * np.linalg.solve(xyz[:3].T, xyz[3])
