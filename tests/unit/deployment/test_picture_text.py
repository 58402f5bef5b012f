"""Text in H.264 and HEVC: where it is inserted, and that it contains no start code."""

import pytest

from vsr_lab.deployment.streams.picture_text import escaped, insert_text, takes_text


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ("0000", "0000"),
        ("000004", "000004"),
        ("000000", "00000300"),
        ("000001", "00000301"),
        ("000002", "00000302"),
        ("000003", "00000303"),
        ("0000000000", "00000300000300"),
        ("00000001", "0000030001"),
        ("0000000001", "00000300000301"),
        ("0100000301", "010000030301"),
    ],
)
def test_zeros_that_look_like_a_start_code_are_divided(plain: str, expected: str) -> None:
    made = escaped(bytes.fromhex(plain))
    assert made == bytes.fromhex(expected)
    assert made.replace(b"\0\0\3", b"\0\0") == bytes.fromhex(plain)


@pytest.mark.parametrize(
    ("encoder", "before", "after"),
    [
        ("libx264", "00000001 09f0 00000001 6742 000001 68ce 000001 0600", "00000001 6588 000001 6511"),
        ("libx264", "", "000001 4188"),
        ("libx265", "00000001 4001 00000001 4201 000001 4401 000001 4e01", "00000001 2801 000001 2801"),
        ("hevc_nvenc", "", "000001 2601"),
    ],
)
def test_text_precedes_the_first_slice(encoder: str, before: str, after: str) -> None:
    first, second = bytes.fromhex(before), bytes.fromhex(after)
    text = "made by a network " * 20
    made = insert_text(first + second, text, encoder)
    assert made.startswith(first)
    assert made.endswith(second)
    unit = made[len(first) : -len(second)]
    header = b"\x06" if "264" in encoder else b"\x4e\x01"
    size = 16 + len(text)
    assert unit.startswith(b"\0\0\0\1" + header + bytes([5, 255, size - 255]))
    assert unit.endswith(text.encode() + b"\x80")


def test_a_picture_without_slices_is_unchanged() -> None:
    assert insert_text(bytes.fromhex("00000001 4001"), "text", "libx265") == bytes.fromhex("00000001 4001")
    assert takes_text("libx265")
    assert not takes_text("ffv1")
