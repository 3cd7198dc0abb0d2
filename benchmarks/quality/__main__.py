"""`python -m benchmarks.quality run | report | check | show | list | questions`: see --help of each.

The sets of `run` are regression tests; all of them have been looked at. `questions` are those of others.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.asking import own_daemon
from benchmarks.common import note
from benchmarks.quality import question_command, report, run
from benchmarks.quality.tasks import SETS, load


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality")
    commands = parser.add_subparsers(dest="command", required=True)

    asks = commands.add_parser("run", help="ask a model; one JSON line a task")
    asks.add_argument("--model", required=True)
    asks.add_argument("--set", choices=SETS, default="dev")
    asks.add_argument("--options", default="", help="options of the magic, for example '--candidates 1'")
    asks.add_argument("--out", type=Path, required=True)
    asks.add_argument("--only", action="append", metavar="SUBJECT_OR_TASK")
    asks.add_argument("--limit", type=int)
    asks.add_argument("--shuffle", type=int, metavar="SEED")
    asks.add_argument("--resume", action="store_true", help="leave out the tasks that stand in --out already")

    tells = commands.add_parser("report", help="the figures of one or more passes")
    tells.add_argument("files", type=Path, nargs="+")

    checks = commands.add_parser("check", help="without a model: references pass, empty answers fail")
    checks.add_argument("--set", choices=SETS, action="append")
    checks.add_argument("--only", action="append", metavar="SUBJECT_OR_TASK")

    shows = commands.add_parser("show", help="prompt, code and errors of one task")
    shows.add_argument("file", type=Path)
    shows.add_argument("task")

    lists = commands.add_parser("list", help="the tasks and their requests")
    lists.add_argument("--set", choices=SETS, default="dev")

    question_command.add(commands)

    given = parser.parse_args(arguments)
    if given.command == "questions":
        return question_command.follow(given)
    if given.command == "run":
        with own_daemon():
            run.run(
                given.set,
                given.model,
                given.options,
                given.out,
                only=given.only,
                limit=given.limit,
                shuffle=given.shuffle,
                resume=given.resume,
            )
        report.tell([given.out])
    elif given.command == "report":
        report.tell(given.files)
    elif given.command == "show":
        report.show(given.file, given.task)
    elif given.command == "list":
        for task in load(given.set):
            print(f"{task.id}: " + " / ".join(step.ask for step in task.steps))
    else:
        wrong = [line for one in given.set or SETS for line in run.check(one, given.only)]
        for line in wrong:
            note(line)
        print(f"{len(wrong)} faults")
        return bool(wrong)
    return 0


if __name__ == "__main__":
    sys.exit(main())
