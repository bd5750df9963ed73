"""`evaluate --dataset`: a model on a labelled data set, with the metrics of the paper."""

from __future__ import annotations

import argparse
import json

from segmenter.data.samples import DataSetError, open_dataset
from segmenter.evaluation.benchmark import TaskAnswerer, ask_all
from segmenter.report.report import make_report, text_report
from segmenter.report.report_page import html_page
from segmenter.report.report_published import checkpoint_facts, manifest_facts


def evaluate_dataset(answerer: TaskAnswerer, args: argparse.Namespace) -> None:
    """Measures on a labelled data set; ends with one line where the data cannot be used."""
    if args.limit is not None and args.limit < 1:
        raise SystemExit(f"--limit {args.limit}: it must be at least 1")
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
