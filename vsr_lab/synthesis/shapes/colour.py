"""Colours of drawings: choice by hue, saturation and value, and shading in the style of cel animation."""

import colorsys

import numpy as np

Colour = tuple[float, float, float]  # RGB, 0..1


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """Colour from hue (in turns, any number), saturation and value (clipped to 0..1)."""
    return colorsys.hsv_to_rgb(hue % 1, min(max(saturation, 0), 1), min(max(value, 0), 1))


def mix(one: Colour, two: Colour, share: float) -> Colour:
    """Mix two colours, with the fraction `share` (0..1) of `two`."""
    r, g, b = (a + (b - a) * share for a, b in zip(one, two, strict=True))
    return r, g, b


def times(one: Colour, two: Colour) -> Colour:
    """Colour `one` under a light of colour `two`."""
    r, g, b = (a * b for a, b in zip(one, two, strict=True))
    return r, g, b


def shade(colour: Colour, depth: float = 1.0) -> Colour:
    """The shadow tone of a fill: darker, more saturated, and colder."""
    return times(mix(colour, times(colour, colour), 0.3 * depth), mix((1, 1, 1), (0.72, 0.68, 0.84), depth))


def tint(colour: Colour, depth: float = 1.0) -> Colour:
    """The highlight tone of a fill."""
    return mix(colour, (1.0, 0.98, 0.92), 0.4 * depth)


def css(colour: Colour) -> str:
    """Format a colour for SVG."""
    return "#" + "".join(f"{min(max(round(c * 255), 0), 255):02x}" for c in colour)


def drawn(rng: np.random.Generator, saturation: tuple[float, float], value: tuple[float, float]) -> Colour:
    """Choose a colour at random: any hue, within limits of saturation and value."""
    return hsv(float(rng.random()), float(rng.uniform(*saturation)), float(rng.uniform(*value)))
