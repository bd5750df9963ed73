"""Windows composed of other windows."""

import numpy as np
import pytest

from segmenter.data.windows import Window, montage, side_by_side


def plain(value: int, side: int) -> Window:
    """A window of one colour, label and knowledge."""
    bits = np.full((side, side), value, np.int32)
    return Window(np.full((side, side, 3), value, np.uint8), bits, bits + 100)


@pytest.mark.parametrize("across", [1, 2, 3])
def test_windows_lie_side_by_side_row_by_row(across: int) -> None:
    parts = [plain(number, 4) for number in range(across * across)]
    joined = side_by_side(parts, across)
    assert joined.pixels.shape == (4 * across, 4 * across, 3)
    for number in range(len(parts)):
        row, column = (4 * start for start in divmod(number, across))
        square = np.s_[row : row + 4, column : column + 4]
        assert (joined.pixels[square] == number).all()
        assert (joined.labels[square] == number).all() and (joined.known[square] == number + 100).all()
    assert (joined.pixels.dtype, joined.labels.dtype, joined.known.dtype) == (np.uint8, np.int32, np.int32)


def test_a_montage_shows_four_windows_at_half_size() -> None:
    joined, expected = montage([plain(number, 8) for number in range(4)]), side_by_side([plain(n, 4) for n in range(4)], 2)
    for got, wanted in ((joined.pixels, expected.pixels), (joined.labels, expected.labels), (joined.known, expected.known)):
        assert np.array_equal(got, wanted)
