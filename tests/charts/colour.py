"""Colours as people with other eyes see them, and how far apart they are."""

from __future__ import annotations

import numpy as np

LINEAR_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = LINEAR_TO_XYZ @ np.ones(3)

EYES = {
    "ordinary": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip
"""Linear RGB seen without one kind of cone (Machado, Oliveira and Fernandes 2009, severity 1)."""


def linear(colour: str) -> np.ndarray:
    """Linear RGB of ``#rrggbb``."""
    encoded = np.array([int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)])
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def lab(colour: str, eye: str = "ordinary") -> np.ndarray:
    """CIE L*a*b* of a colour seen with an eye."""
    ratio = LINEAR_TO_XYZ @ np.clip(EYES[eye] @ linear(colour), 0, 1) / WHITE
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def lightness(colour: str) -> float:
    """L*, what is left of a colour in greyscale: 0 black to 100 white."""
    return float(lab(colour)[0])


def distance(one: str, other: str, eye: str = "ordinary") -> float:
    """CIE 1976 distance; about 2.3 is just noticeable."""
    return float(np.linalg.norm(lab(one, eye) - lab(other, eye)))


def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio, 1 to 21."""
    luminance = [float(linear(colour) @ LINEAR_TO_XYZ[1]) + 0.05 for colour in (one, other)]
    return max(luminance) / min(luminance)
