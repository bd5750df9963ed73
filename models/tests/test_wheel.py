"""The built wheel in an empty virtual environment: every verb starts, and a tiny model is trained, exported and evaluated.

Only the wheel is installed. A `.pth` file adds the site-packages of the test environment behind those of the virtual
environment, because the dependencies take gigabytes.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import segmenter
from segmenter.__main__ import VERBS
from training import write_packs

PACKAGE = Path(segmenter.__file__).parent


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python interpreter of the environment with the installed wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # building writes into the source tree
    shutil.copytree(PACKAGE, source / "segmenter", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(PACKAGE.parent / "pyproject.toml", source / "pyproject.toml")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheel = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder / "dist"), str(source)]
    subprocess.run([*pip, *wheel], check=True)
    [built] = (folder / "dist").glob("segmenter-*.whl")
    venv.create(folder / "environment", with_pip=False, symlinks=True)
    python = folder / "environment" / "bin" / "python"
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", "--no-index", str(built)], check=True)
    [packages] = (folder / "environment" / "lib").glob("python*/site-packages")
    borrowed = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    (packages / "dependencies.pth").write_text("\n".join(borrowed) + "\n")
    return python


def run(python: Path, folder: Path, *words: str) -> str:
    """Standard output of the interpreter with these arguments, run in `folder` without the checkout on its path."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run([str(python), *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr[-2000:]}"
    return done.stdout


def test_the_wheel_is_what_runs(python: Path, tmp_path: Path) -> None:
    place = Path(run(python, tmp_path, "-c", "import segmenter; print(segmenter.__file__)").strip())
    assert python.parents[1] in place.parents and PACKAGE not in place.parents


def test_the_wheel_holds_every_file_of_the_package(python: Path) -> None:
    [installed] = python.parents[1].glob("lib/python*/site-packages/segmenter")

    def files(folder: Path) -> set[str]:
        found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
        return {path.relative_to(folder).as_posix() for path in found}

    assert files(installed) == files(PACKAGE)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_of_the_wheel_has_its_help(python: Path, tmp_path: Path, verb: str) -> None:
    assert f"usage: python -m segmenter {verb}" in run(python, tmp_path, "-m", "segmenter", verb, "--help")


def test_the_wheel_trains_exports_and_measures(python: Path, tmp_path: Path) -> None:
    data, model = write_packs(tmp_path / "packs"), tmp_path / "segearth-r1-compact" / "1"
    command = ("-m", "segmenter")
    run(
        python, tmp_path, *command, "train", "--data", str(data), "--out", "run", "--batch", "1", "--steps", "1", "--workers", "0"
    )
    exported = run(python, tmp_path, *command, "export", "--checkpoint", "run/last.pt", "--out", str(model), "--fused")
    assert (model / "manifest.json").is_file() and (model / "model.onnx").is_file() and "config.pbtxt" in exported
    own = tmp_path / "own"
    own.mkdir()
    Image.fromarray(np.full((96, 96, 3), 90, np.uint8)).save(own / "a.png")
    samples = [{"image": "a.png", "mask": None, "questions": ["ships"], "task": "REFERRING"}]
    (own / "dataset.json").write_text(json.dumps({"name": "own", "samples": samples}))
    measured = ("evaluate", "--model", str(model), "--dataset", "folder", "--data", str(own), "--html", "report.html")
    run(python, tmp_path, *command, *measured)
    assert "<table" in (tmp_path / "report.html").read_text()
