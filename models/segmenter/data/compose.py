"""Changes of a training window that change what it shows: rare objects laid in, and parts without a picture."""

import numpy as np
from numpy.typing import NDArray

from segmenter.data.windows import BIT, CATEGORIES, Labelled, Window, bits

#: Objects that are laid into other windows, as few pictures show them.
PASTED = (
    "helicopter", "bridge", "baseball_diamond", "roundabout", "basketball_court", "running_track", "swimming_pool",
    "storage_tank", "soccer_field", "plane", "tennis_court",
)  # fmt: skip
#: Ground around a pasted object: so many px and this share of its longer side; its edge fades over so many px.
MARGIN_PX, MARGIN_SHARE, FADE_PX = 6, 0.25, 5
#: Shares of a window's side between which a pasted piece lies, and the least px of its shorter side.
LARGEST_SHARE, LEAST_PX = 0.75, 10
#: Between these shares of a window are without a picture.
LEAST_EMPTY, MOST_EMPTY = 0.1, 0.6
#: Share of the empty parts that is black; the rest is white.
BLACK_SHARE = 0.6


def pasted(window: Window, source: Labelled, rng: np.random.Generator) -> Window:
    """The window with a rare object of another window of `source`, and the ground around it, somewhere in it.

    The window itself comes back where the drawn object is too large or too small to be laid in.
    """
    names = [name for name in PASTED if BIT[name] in source.holders]
    if not names:
        return window
    bit = BIT[names[rng.integers(len(names))]]
    other = source.draw(rng, bit)
    box = _piece((other.labels & bit) != 0, rng)
    if box is None:
        return window
    height, width = (part.stop - part.start for part in box)
    side = window.labels.shape[0]
    top, left = int(rng.integers(0, side - height + 1)), int(rng.integers(0, side - width + 1))
    place = np.s_[top : top + height, left : left + width]
    weight = (_fading(height)[:, None] * _fading(width)[None])[..., None]
    pixels, labels, known = window.pixels.copy(), window.labels.copy(), window.known.copy()
    pixels[place] = (weight * other.pixels[box] + (1 - weight) * pixels[place] + 0.5).astype(np.uint8)
    labels[place], known[place] = other.labels[box], other.known[box]
    return Window(pixels, labels, known)


def _piece(mask: NDArray[np.bool_], rng: np.random.Generator) -> tuple[slice, slice] | None:
    """One connected part of the mask `[S, S]` with ground around it; None where there is none of a fitting size."""
    from scipy import ndimage

    parts, count = ndimage.label(mask)
    if not count:
        return None
    side = mask.shape[0]
    found = ndimage.find_objects(parts)[int(rng.integers(count))]
    margin = int(MARGIN_PX + MARGIN_SHARE * max(part.stop - part.start for part in found))
    rows, columns = (slice(max(0, part.start - margin), min(side, part.stop + margin)) for part in found)
    lengths = (rows.stop - rows.start, columns.stop - columns.start)
    return (rows, columns) if min(lengths) >= LEAST_PX and max(lengths) <= LARGEST_SHARE * side else None


def _fading(length: int) -> NDArray[np.float32]:
    """Weight of a pasted piece across it: 1 inside, falling to its edges."""
    near = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1))
    return np.minimum(near / FADE_PX, 1).astype(np.float32)


def bordered(window: Window, rng: np.random.Generator) -> Window:
    """The window with a part that is black or white, as outside of a scene's footprint: nothing is there, of any category."""
    side = window.labels.shape[0]
    share, angle = rng.uniform(LEAST_EMPTY, MOST_EMPTY), rng.uniform(0, 2 * np.pi)
    rows, columns = np.arange(side)[:, None] / side, np.arange(side)[None] / side
    if rng.random() < 0.5:
        empty = np.broadcast_to((rows, columns, 1 - rows, 1 - columns)[rng.integers(4)] < share, (side, side))
    else:
        empty = (rows - 0.5) * np.sin(angle) + (columns - 0.5) * np.cos(angle) > 0.5 - share
    black = rng.random() < BLACK_SHARE
    return Window(
        np.where(empty[..., None], np.uint8(0 if black else 255), window.pixels),
        np.where(empty, np.int32(0), window.labels),
        np.where(empty, bits(CATEGORIES), window.known),
    )
