"""Pictures of a git repository before packing: read from its blobs, named, split and labelled."""

import io
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Labels = NDArray[np.uint16]


class PackError(Exception):
    """A training repository does not look as its reader expects."""


@dataclass(frozen=True)
class EncodedImage:
    """One encoded picture before packing, with its labels uint16 `[height, width]` or, where it has none, its scene."""

    key: str
    split: str
    encoded: bytes
    labels: Labels | None
    scene: str | None


class Blobs:
    """Files of one commit of a git repository, read through one `git cat-file --batch` process."""

    def __init__(self, git_dir: Path, commit: str = "HEAD") -> None:
        """Lists the commit. Raises PackError where the repository or the commit is missing."""
        listing = subprocess.run(["git", f"--git-dir={git_dir}", "ls-tree", "-r", "-z", commit], capture_output=True, check=False)
        if listing.returncode != 0:
            raise PackError(f"{git_dir}: cannot list commit {commit}: {listing.stderr.decode().strip()}")
        rows = (row.split("\t", 1) for row in listing.stdout.decode().split("\0") if row)
        self.object_ids = {path: meta.split()[2] for meta, path in rows}
        self._git = subprocess.Popen(
            ["git", f"--git-dir={git_dir}", "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def matching(self, pattern: str) -> Iterator[tuple[str, re.Match[str]]]:
        """Paths that the pattern matches whole, sorted, with the match."""
        for path in sorted(self.object_ids):
            match = re.fullmatch(pattern, path)
            if match:
                yield path, match

    def read(self, path: str) -> bytes:
        """Content of one file. Raises PackError for a path that the commit lacks."""
        if path not in self.object_ids:
            raise PackError(f"no file {path!r} in the commit")
        stdin, stdout = self._git.stdin, self._git.stdout
        assert stdin is not None and stdout is not None
        stdin.write(f"{self.object_ids[path]}\n".encode())
        stdin.flush()
        header = stdout.readline().split()
        if len(header) != 3:
            raise PackError(f"{path}: git answered {header!r}; is the object missing from a shallow mirror?")
        content = stdout.read(int(header[2]))
        stdout.read(1)
        return content


def png(pixels: Pixels) -> bytes:
    """An RGB picture `[height, width, 3]` or a grey one as a PNG file's content."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def rgb(encoded: bytes) -> Pixels:
    """A picture file's content as RGB uint8 `[height, width, 3]`; transparency is dropped."""
    return np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB"))


def grey(encoded: bytes) -> Pixels:
    """A mask file's content as uint8 `[height, width]`."""
    return np.asarray(Image.open(io.BytesIO(encoded)).convert("L"))


def raster(classes: tuple[str, ...], **covered: NDArray[np.bool_]) -> Labels:
    """Label bits of a source's `classes`; `covered` says by name where each is, with `unsure_x` for the bit `?x`."""
    labels = np.zeros(next(iter(covered.values())).shape, np.uint16)
    for name, where in covered.items():
        bit = classes.index("?" + name.removeprefix("unsure_") if name.startswith("unsure_") else name)
        labels |= where.astype(np.uint16) << np.uint16(bit)
    return labels
