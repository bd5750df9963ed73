"""The two frames for comparing an answer with its label: the model's window, and the image at its original size.

The published evaluation compares in the window (section 6.2): labels are letterboxed by nearest neighbour as in OpenCV,
and predictions in the padding count as errors.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from segmenter.data.letterbox import letterbox_geometry

Mask = NDArray[np.bool_]
Values = TypeVar("Values", bound=np.generic)

#: Image rows interpolated at once.
_ROWS = 512


def full_size(logits: Tensor, side: int) -> Mask:
    """Logits `[N, s, s]` to masks `[N, side, side]`: bilinear (`align_corners=False`), then above 0 (section 2.7)."""
    scaled = functional.interpolate(logits[:, None].float(), (side, side), mode="bilinear", align_corners=False)
    return np.asarray(scaled[:, 0].numpy() > 0)


def letterbox_nearest(values: NDArray[Values], side: int, padding: Any) -> NDArray[Values]:
    """Values `[height, width]` letterboxed to `[side, side]` with `cv2.INTER_NEAREST`; bars hold `padding`."""
    fitted = letterbox_geometry(values.shape[0], values.shape[1], side)
    window = np.full((side, side), padding, values.dtype)
    rows, columns = nearest_indices(values.shape[0], fitted.height), nearest_indices(values.shape[1], fitted.width)
    window[fitted.top : fitted.top + fitted.height, fitted.left : fitted.left + fitted.width] = values[rows[:, None], columns]
    return window


def nearest_indices(source: int, target: int) -> NDArray[np.int64]:
    """Source index of each target pixel: floor(i * (1 / (target / source))), the reciprocal in double precision, as in OpenCV."""
    scale = 1.0 / (target / source)
    return np.minimum(np.floor(np.arange(target) * scale).astype(np.int64), source - 1)


def scene_mask(logits: NDArray[np.float32], height: int, width: int, side: int) -> Mask:
    """Logits `[s, s]` of a window of `side` px to the mask `[height, width]` of its image.

    Logits are interpolated at the image's pixels and compared with 0. Cells whose centre lies in a bar are not used, as in
    the service.
    """
    fitted, stride = letterbox_geometry(height, width, side), side / logits.shape[0]
    row, row_share = _cells(height, fitted.top, fitted.height, stride)
    column, column_share = _cells(width, fitted.left, fitted.width, stride)
    right = np.minimum(column + 1, logits.shape[1] - 1)
    mask = np.empty((height, width), np.bool_)
    for start in range(0, height, _ROWS):
        part = slice(start, start + _ROWS)
        share = row_share[part, None]
        below = np.minimum(row[part] + 1, logits.shape[0] - 1)
        lines = logits[row[part]] * (1 - share) + logits[below] * share
        mask[part] = lines[:, column] * (1 - column_share) + lines[:, right] * column_share >= 0
    return mask


def _cells(length: int, padding: int, shown: int, stride: float) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """For each pixel along an axis, the logits cell at or before its centre, and the weight of the next cell."""
    low = max(0, int(np.ceil(padding / stride - 0.5)))
    high = max(low, int(np.floor((padding + shown) / stride - 0.5)))
    centre = (np.arange(length) + 0.5) * shown / length
    position = np.clip((padding + centre) / stride - 0.5, low, high)
    cell = np.floor(position)
    return cell.astype(np.int64), (position - cell).astype(np.float32)
