"""`segmenter evaluate`: evaluates a model on held-out windows with seen and unseen wordings, next to baselines.

`--dataset` evaluates on a labelled data set instead, with the metrics of the paper.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from segmenter.data.readers import KINDS, open_dataset
from segmenter.data.samples import DataSetError, SampleError

if TYPE_CHECKING:
    from segmenter.evaluation.benchmark import TaskAnswerer

SPLITS = ("validation", "calibration")
#: Scenes whose licences allow them in a model card; only the checkout has them.
SCENES = Path(__file__).parents[3] / "test" / "fixtures" / "imagery"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `segmenter evaluate`."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--checkpoint", type=Path, help="checkpoint of `segmenter train`, run with torch")
    what.add_argument("--model", type=Path, help="folder of an exported model, run with ONNX Runtime")
    parser.add_argument("--data", type=Path, default=Path(".data"), help="folder of the packs, or of the data set")
    parser.add_argument(
        "--dataset", choices=KINDS, help="layout of the labelled data set (default: held-out windows of the packs)"
    )
    parser.add_argument("--split", help="packs: validation (default) or calibration; data sets: val (default) or test")
    parser.add_argument("--json", type=Path, help="write the scores to this JSON file")
    parser.add_argument(
        "--html", type=Path, help="write an HTML page with example images; a page about packs must not be published"
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads per process")
    packs = parser.add_argument_group("packs")
    packs.add_argument("--every", type=int, default=1, help="use every n-th window")
    packs.add_argument("--processes", type=int, default=1, help="number of worker processes")
    packs.add_argument("--quick", action="store_true", help="skip the baselines and the ground-distance curve")
    packs.add_argument("--card", type=Path, help="model folder whose README.md and images are updated")
    packs.add_argument("--service", type=Path, help="card: output of `terraql evaluate --json` for the same windows")
    packs.add_argument("--scenes", type=Path, default=SCENES, help="card: folder of the gallery's scenes")
    sets = parser.add_argument_group("data sets")
    sets.add_argument("--limit", type=int, help="evaluate only the first n images")
    sets.add_argument(
        "--questions", choices=("first", "all"), default="all", help="questions per sample; the paper asks the first one"
    )


def main(args: argparse.Namespace) -> None:
    """Prints the tables and writes the requested files."""
    import torch

    from segmenter.evaluation.examiners import open_answerer
    from segmenter.report.card import CardError
    from segmenter.report.service_report import ServiceReportError

    torch.set_num_threads(args.threads)
    try:
        if args.dataset:
            evaluate_dataset(open_answerer(args.checkpoint or args.model, args.threads), args)
        else:
            evaluate_packs(args)
    except (FileNotFoundError, SampleError, CardError, ServiceReportError) as error:
        raise SystemExit(f"segmenter evaluate: {error}") from error


def evaluate_packs(args: argparse.Namespace) -> None:
    """Evaluates on the held-out windows of the packs; exits with a message if options conflict."""
    from segmenter.evaluation.baselines import make_baselines
    from segmenter.evaluation.examiners import Examination, examine_everywhere, open_answerer
    from segmenter.evaluation.held_out import held_out_windows, numbered
    from segmenter.language.bank import QuestionBank
    from segmenter.report.card import Timing, timed, write_card
    from segmenter.report.gallery import ask_cases, read_cases
    from segmenter.report.held_out_page import held_out_page
    from segmenter.report.report import text_table
    from segmenter.report.results import FACTORS, Evaluation
    from segmenter.report.service_report import read_service_report, require_same_model

    _check(args)
    model = args.checkpoint or args.model
    split = args.split or SPLITS[0]
    service = read_service_report(args.service) if args.service else None
    if service:
        require_same_model(service, model)
    answerer = open_answerer(model, args.threads)
    timing = timed(answerer, answerer.side) if args.card else None  # before other processes start
    baselines = None if args.quick else make_baselines(args.data, answerer.side, QuestionBank.load())
    examination = Examination(model, args.data, split, args.every, args.threads, baselines)
    native, resampled = examine_everywhere(examination, () if args.quick else FACTORS, args.processes)
    if not native.answers:
        raise SystemExit(f"segmenter evaluate: the packs in {args.data} have no {split} window with a question")
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


def evaluate_dataset(answerer: TaskAnswerer, args: argparse.Namespace) -> None:
    """Evaluates on a labelled data set; exits with a message if the data is unusable."""
    # Only data sets need the COCO API.
    from segmenter.evaluation.benchmark import ask_all
    from segmenter.report.report import make_report, text_report
    from segmenter.report.report_page import html_page
    from segmenter.report.report_published import checkpoint_facts, manifest_facts

    if args.limit is not None and args.limit < 1:
        raise SystemExit(f"--limit {args.limit}: must be at least 1")
    try:
        dataset = open_dataset(args.dataset, args.data, args.split or "val")
        answered = ask_all(answerer, dataset, args.limit, args.questions == "all")
    except DataSetError as error:
        raise SystemExit(f"segmenter evaluate: {error}") from error
    facts = checkpoint_facts(args.checkpoint) if args.checkpoint else manifest_facts(args.model)
    report = make_report(facts, dataset, answered, args.limit is None)
    print(text_report(report))
    if args.json:
        args.json.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if args.html:
        args.html.write_text(html_page(report, answered), encoding="utf-8")


def _check(args: argparse.Namespace) -> None:
    from segmenter.report.card import CardError, replaced

    if (args.split or SPLITS[0]) not in SPLITS:
        raise SystemExit(f"--split {args.split}: must be {' or '.join(SPLITS)}")
    for name in ("every", "processes", "threads"):
        if getattr(args, name) < 1:
            raise SystemExit(f"--{name} {getattr(args, name)}: must be at least 1")
    if args.card:
        readme = args.card / "README.md"
        try:
            replaced(readme.read_text(encoding="utf-8") if readme.is_file() else "", "", readme)
        except CardError as error:
            raise SystemExit(f"--card: {error}") from error
        if args.quick:
            raise SystemExit("--card needs the full evaluation: remove --quick")


def _name(model: Path) -> str:
    return f"{model.resolve().parent.name}/{model.name}"


def command_line(words: list[str]) -> str:
    """The command line for the card, with local paths replaced by placeholders."""
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
