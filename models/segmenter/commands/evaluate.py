"""Measures a model on held-out places with seen and never seen wordings, beside answers that need no model.

`evaluate --dataset` measures on a labelled data set instead; see `commands.evaluate_dataset`.
"""

import argparse
import json
import shlex
import sys
from pathlib import Path

import torch

from segmenter.data.samples import KINDS, SampleError
from segmenter.evaluation.baselines import make_baselines
from segmenter.evaluation.examiners import Examination, examine_everywhere, open_answerer
from segmenter.evaluation.held_out import held_out_windows, numbered
from segmenter.language.bank import QuestionBank
from segmenter.report.card import CardError, Timing, replaced, timed, write_card
from segmenter.report.gallery import ask_cases, read_cases
from segmenter.report.held_out_page import held_out_page
from segmenter.report.report import text_table
from segmenter.report.results import FACTORS, Evaluation
from segmenter.report.service_report import ServiceReportError, read_service_report, require_same_model

SPLITS = ("validation", "calibration")
#: Scenes that may be shown in a card.
SCENES = Path(__file__).parents[3] / "test" / "fixtures" / "imagery"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter evaluate`."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--checkpoint", type=Path, help="checkpoint of `segmenter train`, run by torch")
    what.add_argument("--model", type=Path, help="folder with an exported manifest.json, run by onnxruntime")
    parser.add_argument("--data", type=Path, default=Path(".data"), help="packs of `segmenter pack`, or the data set's folder")
    parser.add_argument("--dataset", choices=KINDS, help="layout of a labelled data set; without it the packs' held-out places")
    parser.add_argument("--split", help="packs: validation (default) or calibration; data sets: val (default) or test")
    parser.add_argument("--json", type=Path, help="also write the scores here")
    parser.add_argument("--html", type=Path, help="also write a page with pictures; of packs it must not be passed on")
    parser.add_argument("--threads", type=int, default=1, help="of each process")
    packs = parser.add_argument_group("packs")
    packs.add_argument("--every", type=int, default=1, help="use one window in so many")
    packs.add_argument("--processes", type=int, default=1, help="processes that share the windows")
    packs.add_argument("--quick", action="store_true", help="without baselines and the curve over ground distance")
    packs.add_argument("--card", type=Path, help="model folder: write the measured block of its README.md and the pictures")
    packs.add_argument("--service", type=Path, help="card: what `terraql evaluate --json` printed about the same windows")
    packs.add_argument("--scenes", type=Path, default=SCENES, help="scenes of the card's gallery")
    sets = parser.add_argument_group("data sets")
    sets.add_argument("--limit", type=int, help="ask about so many images only")
    sets.add_argument("--questions", choices=("first", "all"), default="all", help="of each sample; first: as the paper")


def main(args: argparse.Namespace) -> None:
    """Prints the tables, and writes what was asked for."""
    torch.set_num_threads(args.threads)
    try:
        if args.dataset:
            # Only data sets need the COCO API.
            from segmenter.commands.evaluate_dataset import evaluate_dataset

            evaluate_dataset(open_answerer(args.checkpoint or args.model, args.threads), args)
        else:
            evaluate_packs(args)
    except (FileNotFoundError, SampleError, CardError, ServiceReportError) as error:
        raise SystemExit(f"segmenter evaluate: {error}") from error


def evaluate_packs(args: argparse.Namespace) -> None:
    """Measures on the packs' held-out places; ends with one line for options that do not fit."""
    _check(args)
    model = args.checkpoint or args.model
    split = args.split or SPLITS[0]
    service = read_service_report(args.service) if args.service else None
    if service:
        require_same_model(service, model)
    answerer = open_answerer(model, args.threads)
    timing = timed(answerer, answerer.side) if args.card else None  # while nothing else of ours runs
    baselines = None if args.quick else make_baselines(args.data, answerer.side, QuestionBank.load())
    examination = Examination(model, args.data, split, args.every, args.threads, baselines)
    native, resampled = examine_everywhere(examination, () if args.quick else FACTORS, args.processes)
    if not native.answers:
        raise SystemExit(f"segmenter evaluate: the packs under {args.data} have no {split} window to ask about")
    evaluation = Evaluation(_name(model), native, resampled)
    for heading, rows in evaluation.tables():
        print(f"{heading}\n{text_table(rows)}\n")
    if args.json:
        args.json.write_text(json.dumps(evaluation.as_json(), indent=1) + "\n", encoding="utf-8")
    if args.html:
        windows = dict(numbered(held_out_windows(args.data, answerer.side, split), args.every))
        args.html.write_text(held_out_page(evaluation, answerer, windows), encoding="utf-8")
    if args.card:
        assert isinstance(timing, Timing)
        shown = ask_cases(answerer, answerer.side, args.scenes, read_cases())
        write_card(args.card, evaluation, shown, timing, model, command_line(sys.argv[1:]), service)


def _check(args: argparse.Namespace) -> None:
    if (args.split or SPLITS[0]) not in SPLITS:
        raise SystemExit(f"--split {args.split}: packs have {' and '.join(SPLITS)}")
    for name in ("every", "processes", "threads"):
        if getattr(args, name) < 1:
            raise SystemExit(f"--{name} {getattr(args, name)}: it must be at least 1")
    if args.card:
        readme = args.card / "README.md"
        try:
            replaced(readme.read_text(encoding="utf-8") if readme.is_file() else "", "", readme)
        except CardError as error:
            raise SystemExit(f"--card: {error}") from error
        if args.quick:
            raise SystemExit("--card needs the whole evaluation: leave --quick out")


def _name(model: Path) -> str:
    return f"{model.resolve().parent.name}/{model.name}"


def command_line(words: list[str]) -> str:
    """The command as it may be typed again, with the place of the packs left open."""
    shown = list(words)
    for option, placeholder in (
        ("--data", ".data"),
        ("--html", "report.html"),
        ("--json", "scores.json"),
        ("--service", "service.json"),
    ):
        if option in shown[:-1]:
            shown[shown.index(option) + 1] = placeholder
    return f"python -m segmenter {shlex.join(shown)}"
