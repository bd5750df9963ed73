"""`segmenter golden`: writes reference values of an exported model."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter golden`."""
    parser.add_argument("--model", type=Path, required=True, help="exported model folder")
    parser.add_argument("--image", type=Path, required=True, help="8-bit RGB PNG; copied to --out")
    parser.add_argument("--out", type=Path, required=True, help="folder for golden.json and image.png")


def main(args: argparse.Namespace) -> None:
    """Writes `golden.json` and `image.png`."""
    import numpy as np
    from PIL import Image

    from segmenter.export.golden import golden_values

    with Image.open(args.image) as opened:
        if opened.format != "PNG" or opened.mode != "RGB":
            raise ValueError(f"{args.image} is {opened.format} {opened.mode}; the reference image must be an 8-bit RGB PNG")
        image = np.asarray(opened)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "image.png").write_bytes(args.image.read_bytes())
    source = {"path": "image.png", "widthPx": image.shape[1], "heightPx": image.shape[0]}
    values = {"image": source, **golden_values(args.model, image)}
    path = args.out / "golden.json"
    path.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {path}: {len(values['questions'])} questions on {image.shape[1]} x {image.shape[0]} pixels")
