"""Conversion of a release in a process of its own: how much memory it takes beside the size of its files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from segmenter.network.config import PRECISIONS

#: Peak memory as a multiple of the release's files; what is mapped of files counts.
LIMIT = 1.3

SCRIPT = """
import dataclasses, sys
from pathlib import Path
import torch
from segmenter.export import onnx_file
from tiny import tiny
from segmenter.network.config import LanguageConfig
from segmenter.published.random_weights import write_release
from segmenter.export.export import export_model
from segmenter.export.graphs import graphs
from segmenter.export.manifest import Release
from segmenter.network.network import SegEarthR1
from segmenter.export.onnx_file import export_graph
from segmenter.published.release_weights import ReleaseWeights, weight_files
from segmenter.language.files import TOKENIZER_FILE

def status(field):
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024

folder, precision = Path(sys.argv[1]), sys.argv[2]
onnx_file._LARGEST_FILE = 32_000_000  # in every precision the matrices lie in a file of their own, as those of the full size
config = dataclasses.replace(
    tiny(presence=False),
    language=LanguageConfig(hidden=1024, layers=8, heads=16, mlp=4096, rotary_dims=32, max_positions=64),
    published_layout=True,
)
write_release(folder / "release", config, seed=1)
export_graph(graphs(SegEarthR1(tiny()).eval())[2], folder / "mask.onnx")  # what the tracer keeps for itself
Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
before = status("VmRSS")
weights = ReleaseWeights(folder / "release", config.language.heads)
weights.check(config)
export_model(config, weights.read, folder / "model", TOKENIZER_FILE, Release("1", "none", (1, 2), [], {}), precision)
print(status("VmHWM") - before, sum(path.stat().st_size for path in weight_files(folder / "release")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is read from /proc")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_conversion_takes_little_more_memory_than_the_release_has_bytes(tmp_path: Path, precision: str) -> None:
    words = [sys.executable, "-c", SCRIPT, str(tmp_path), precision]
    tests = Path(__file__).parent
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={"PYTHONPATH": f"{tests.parent}:{tests}", "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    peak, size = (int(number) for number in done.stdout.split()[-2:])
    print(f"{precision}: peak {peak / size:.2f} of {size / 1e6:.0f} MB")
    assert peak <= LIMIT * size
