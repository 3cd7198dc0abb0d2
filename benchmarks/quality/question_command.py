"""`python -m benchmarks.quality questions run | report | fit | check`: see --help of each."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.asking import own_daemon
from benchmarks.quality import question_fit, question_report, question_run
from benchmarks.quality.questions import SEED, SETS, Question, load, ordered
from llmos_jupyter import config

FOLDER = "LLMOS_QUESTIONS"


def add(commands: Any) -> None:
    """Add the command to those of `python -m benchmarks.quality`."""
    questions = commands.add_parser("questions", help="questions that nobody of the project wrote")
    parts = questions.add_subparsers(dest="part", required=True)

    asks = parts.add_parser("run", help="ask a model; one JSON line a question")
    _which(asks)
    asks.add_argument("--way", choices=question_run.WAYS, required=True, help="the model alone, or the magic")
    asks.add_argument("--model", required=True)
    asks.add_argument("--options", default="", help="options of the magic, for example '--candidates 1'")
    asks.add_argument("--out", type=Path, required=True)
    asks.add_argument("--limit", type=int, help="so many questions")
    asks.add_argument("--minutes", type=float, help="begin no other question after so many minutes")
    asks.add_argument(
        "--resume",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="leave out the questions that stand in --out already (default)",
    )

    asks.add_argument(
        "--kept",
        action="store_true",
        help="in the order of the tables, what is right being kept and what is wrong forgotten, so that later "
        "questions see the kept answers as examples; without it none sees another",
    )

    tells = parts.add_parser("report", help="the figures of one or more passes; the others beside the first")
    tells.add_argument("files", type=Path, nargs="+")

    fits = parts.add_parser("fit", help="the weights of an answer's predicted chance, from passes of the loop")
    fits.add_argument("files", type=Path, nargs="+")

    checks = parts.add_parser("check", help="without a model: which questions have a reference that passes")
    _which(checks)


def _which(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--questions", type=Path, metavar="FOLDER", help=f"where they are (default: ${FOLDER})")
    parser.add_argument("--set", choices=(*SETS, "both"), default="both")
    parser.add_argument("--only", default="", metavar="ID,ID", help="these questions and no others")
    parser.add_argument("--shuffle", type=int, metavar="SEED", default=SEED, help=f"default {SEED}")


def _chosen(given: argparse.Namespace) -> list[Question]:
    folder = given.questions or os.environ.get(FOLDER)
    if not folder:
        raise SystemExit(f"Say where the questions are: --questions FOLDER, or {FOLDER}.")
    wanted = SETS if given.set == "both" else (given.set,)
    try:
        questions = ordered(load(Path(folder).resolve(), wanted), given.shuffle)
    except FileNotFoundError as error:
        raise SystemExit(f"There is no {error.filename}: see --questions.") from error
    only = [name for name in given.only.split(",") if name]
    if unknown := set(only) - {question.id for question in questions}:
        raise SystemExit(f"--only: there is no question {min(unknown)}.")
    return [question for question in questions if not only or question.id in only]


def follow(given: argparse.Namespace) -> int:
    if given.part == "report":
        question_report.tell(given.files)
        return 0
    if given.part == "fit":
        question_fit.fit(given.files)
        return 0
    questions = _chosen(given)
    if given.part == "check":
        return check(questions)
    if given.way == "bare" and given.options:
        raise SystemExit("--options are those of the magic, which --way bare does not use.")
    if given.kept:
        questions.sort(key=lambda question: (str(question.files), question.id))
    with own_daemon():
        if given.kept:
            config.change("examples=true")
        question_run.run(
            questions,
            given.way,
            given.model,
            given.options,
            given.out,
            limit=given.limit,
            minutes=given.minutes,
            resume=given.resume,
            kept=given.kept,
        )
    question_report.tell([given.out])
    return 0


def check(questions: list[Question]) -> int:
    """Print which questions are left out, and how many of each set. 1 if any is."""
    left_out: Counter[str] = Counter()
    for question, why in question_run.check(questions):
        if why:
            left_out[question.set] += 1
            print(f"{question.id}: {why}", flush=True)
    for name in SETS:
        if there := sum(question.set == name for question in questions):
            print(f"{name}: {there} questions, {left_out[name]} left out")
    return int(bool(left_out))
