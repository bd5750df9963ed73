"""Letterbox: fits an RGB image into the square window with black bars, identical to OpenCV byte for byte.

The resize is `cv2.resize(..., interpolation=cv2.INTER_LINEAR)` on 8-bit data: weights of 11 bits, no antialiasing
(OpenCV 4 and 5, modules/imgproc/src/resize.cpp). Images are [height, width, 3] uint8 RGB.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

#: Scale of the integer interpolation weights.
_WEIGHT_SCALE = np.float32(2048)


@dataclass(frozen=True)
class LetterboxGeometry:
    """Position of the image in the window, px: its size, and the bars above and to the left."""

    height: int
    width: int
    top: int
    left: int


def letterbox_geometry(height: int, width: int, side: int) -> LetterboxGeometry:
    """Fits an image of `height` x `width` pixels into a square of `side`; the shorter side is truncated, not rounded.

    Raises ValueError for an empty image, and for one so narrow that its shorter side would be 0 px.
    """
    if height < 1 or width < 1:
        raise ValueError(f"image is {width} x {height} px; both must be at least 1")
    if width > height:
        fitted_height, fitted_width = int(height * (side / width)), side
    else:
        fitted_height, fitted_width = side, int(width * (side / height))
    if fitted_height < 1 or fitted_width < 1:
        raise ValueError(f"image is {width} x {height} px; its shorter side would be 0 px in a window of {side} px")
    return LetterboxGeometry(fitted_height, fitted_width, (side - fitted_height) // 2, (side - fitted_width) // 2)


def letterbox(image: Pixels, side: int) -> Pixels:
    """The window [side, side, 3] of `image` [height, width, 3]."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"image is {image.dtype} of shape {image.shape}; it must be uint8 [height, width, 3]")
    fitted = letterbox_geometry(image.shape[0], image.shape[1], side)
    window = np.zeros((side, side, 3), np.uint8)
    rows = slice(fitted.top, fitted.top + fitted.height)
    window[rows, fitted.left : fitted.left + fitted.width] = resize_bilinear(image, fitted.height, fitted.width)
    return window


def resize_bilinear(image: Pixels, height: int, width: int) -> Pixels:
    """`image` [h, w, channels] resampled to [height, width, channels]."""
    low, offset = _source_positions(image.shape[1], width)
    beyond = (low < 0) | (low >= image.shape[1] - 1)
    low, offset = np.clip(low, 0, image.shape[1] - 1), np.where(beyond, np.float32(0), offset)
    weight0, weight1 = _weights(offset)
    high = np.minimum(low + 1, image.shape[1] - 1)
    source = image.astype(np.int32)
    across = source[:, low] * weight0[:, None] + source[:, high] * weight1[:, None]

    row, offset = _source_positions(image.shape[0], height)
    weight0, weight1 = _weights(offset)
    upper = across[np.clip(row, 0, image.shape[0] - 1)] >> 4
    lower = across[np.clip(row + 1, 0, image.shape[0] - 1)] >> 4
    total = (upper * weight0[:, None, None] >> 16) + (lower * weight1[:, None, None] >> 16)
    return np.clip((total + 2) >> 2, 0, 255).astype(np.uint8)


def _source_positions(source: int, target: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each target pixel, the source pixel at or before its centre and the float32 distance to it."""
    scale = 1.0 / (target / source)
    position = ((np.arange(target, dtype=np.float64) + 0.5) * scale - 0.5).astype(np.float32)
    low = np.floor(position)
    return low.astype(np.int64), position - low


def _weights(offset: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    one = np.float32(1)
    return (
        np.rint((one - offset) * _WEIGHT_SCALE).astype(np.int32),
        np.rint(offset * _WEIGHT_SCALE).astype(np.int32),
    )
