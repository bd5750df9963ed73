"""The letterbox against OpenCV's results and against its own rules."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray

from segmenter.data.letterbox import LetterboxGeometry, letterbox, letterbox_geometry, resize_bilinear


def pattern(height: int, width: int) -> NDArray[np.uint8]:
    """A deterministic image with fine detail: a product of coordinates modulo 256."""
    y, x, channel = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return ((y * 37 + x * x * 11 + y * x * 3 + channel * 91) % 256).astype(np.uint8)


#: sha256 of `cv2.resize(pattern(h, w), (to_w, to_h), interpolation=cv2.INTER_LINEAR)`, OpenCV 5.0.0 on x86-64.
OPENCV = {
    ((427, 640), (170, 256)): "8bfb46d4feabd91eb6be770f2906101ebb3ab4dacb5587d120b011593e3b5b8c",
    ((33, 17), (256, 131)): "72f37b74a4ceb9bc2a532ef6255a59b19c4acd92a9125d347f197b56ac3e82ef",
    ((901, 1999), (115, 256)): "6b8fba48b41ae1b94696e7e608147a4cbb7f48ee3044393598e34598dedf9d73",
    ((1, 9), (28, 256)): "db8fd66ca4bf21814c40c97bd7d030d4c58c3274a2c94116802e8c9332b4e2b2",
}


@pytest.mark.parametrize(("source", "target"), OPENCV)
def test_resizing_is_that_of_opencv(source: tuple[int, int], target: tuple[int, int]) -> None:
    resized = resize_bilinear(pattern(*source), *target)
    assert hashlib.sha256(resized.tobytes()).hexdigest() == OPENCV[source, target]


def test_the_shorter_side_is_truncated_and_centred() -> None:
    assert letterbox_geometry(427, 640, 1024) == LetterboxGeometry(683, 1024, 170, 0)
    assert letterbox_geometry(900, 700, 256) == LetterboxGeometry(256, 199, 0, 28)


def test_the_bars_are_black_and_the_image_lies_between_them() -> None:
    window = letterbox(np.full((50, 100, 3), 200, np.uint8), 256)
    assert window.shape == (256, 256, 3)
    assert (window[64:192] == 200).all()
    assert not window[:64].any() and not window[192:].any()


def test_an_image_of_the_window_size_is_left_as_it_is() -> None:
    image = pattern(64, 64)
    assert np.array_equal(letterbox(image, 64), image)


def test_impossible_images_are_refused_with_their_size() -> None:
    with pytest.raises(ValueError, match="image is 3000 x 2 px; its shorter side would be 0 px in a window of 256 px"):
        letterbox_geometry(2, 3000, 256)
    with pytest.raises(ValueError, match=r"image is float32 of shape \(4, 4, 3\)"):
        letterbox(np.zeros((4, 4, 3), np.float32), 256)
