"""How good the estimates are: replayed over a trace of real tasks, beside the best constant.

    python -m benchmarks.estimates                                  replay benchmarks/data/trace.jsonl
    python -m benchmarks.estimates record [--limit N] [--resume]    record it anew: an hour or so
    python -m benchmarks.estimates start                            what a daemon needs to read what was learned

`record` asks the requests of benchmarks/quality (dev and reworded), mixed, through the magic in a kernel each,
and runs background cells in between, some of them again and again. Of each step it writes what was known before and
what it came to: numbers, no texts. The report predicts each step from those before it, as the daemon does, and judges
all predictions, the first ones too; the constants are the best for the whole trace, known in hindsight.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks.asking import own_daemon
from benchmarks.common import note, report
from benchmarks.mixed import session
from benchmarks.observing import Observer, from_line, job, to_line
from benchmarks.quality.kernel import Kernel
from benchmarks.quality.run import REQUEST_LIMIT, graded, latest, words_said
from benchmarks.quality.task import Task
from benchmarks.quality.tasks import load
from llmos_jupyter.daemon.client import DaemonClient
from llmos_jupyter.daemon.stores.learned import KEPT, STORE_EVERY, Learned
from llmos_jupyter.daemon.stores.store import Store
from llmos_jupyter.protocol import Request
from llmos_jupyter.protocol.jobs import Ended, Job
from llmos_jupyter.scheduling.estimating.calibration import Observation, quality, replay
from llmos_jupyter.scheduling.estimating.estimates import Estimate, Features, Outcome, Prior
from llmos_jupyter.scheduling.estimating.knowledge import Knowledge, general

TRACE = Path(__file__).parent / "data" / "trace.jsonl"
SEED = 4
# After so many tasks comes a background cell.
JOB_EVERY = 3
JOB_LIMIT = 120.0

# Background cells as notebooks have them, each in three sizes; the last two fail always, and now and then.
JOBS = (
    (
        "import numpy as np\nvalues = np.linalg.svd(np.random.default_rng(0).normal(size=({n}, {n})))[1]",
        (100, 400, 900),
    ),
    ("total = 0\nfor i in range({n}):\n    total += i * i % 7", (200_000, 2_000_000, 10_000_000)),
    ("words = sorted(str(i * 7919 % {n}) for i in range({n}))", (50_000, 400_000, 1_500_000)),
    (
        "import numpy as np, pandas as pd\nrng = np.random.default_rng(1)\n"
        "table = pd.DataFrame({{'key': rng.integers(0, 1000, {n}), 'value': rng.normal(size={n})}})\n"
        "means = table.groupby('key')['value'].agg(['mean', 'std', 'max'])",
        (10_000, 500_000, 3_000_000),
    ),
    (
        "from sklearn.datasets import make_classification\nfrom sklearn.ensemble import RandomForestClassifier\n"
        "x, y = make_classification({n}, random_state=0)\n"
        "forest = RandomForestClassifier(60, random_state=0).fit(x, y)\nforest.score(x, y)",
        (200, 2_000, 8_000),
    ),
    (
        "from functools import lru_cache\n@lru_cache(None)\ndef paths(a, b):\n"
        "    return 1 if not a or not b else paths(a - 1, b) + paths(a, b - 1)\n"
        "rows = [paths(i, 300) for i in range({n})]",
        (50, 400, 900),
    ),
    ("import pandas as pd\nsales = pd.read_csv('no_such_file_{n}.csv')", (1, 2, 3)),
    ("import random\nassert random.random() < 0.7, 'the server did not answer ({n})'", (1, 2, 3)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", nargs="?", choices=("report", "record", "start"), default="report")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--trace", type=Path, default=TRACE)
    parser.add_argument("--limit", type=int, help="tasks to record")
    parser.add_argument("--resume", action="store_true", help="leave out the tasks that are in the trace already")
    given = parser.parse_args()
    if given.command == "record":
        with own_daemon():
            record(given.model, given.trace, given.limit, resume=given.resume)
    if given.command == "start":
        tell_start()
    elif not given.trace.exists():
        parser.error(f"there is no trace {given.trace}: record one first")
    else:
        tell(given.trace)


# --- recording --------------------------------------------------------------------------------


def record(model: str, file: Path, limit: int | None, *, resume: bool) -> None:
    """Write one line an observation, named by the task it is of."""
    dice = random.Random(SEED)
    tasks = [(name, task) for name in ("dev", "reworded") for task in load(name)]
    dice.shuffle(tasks)
    cells = [dice.choice(JOBS) for _ in tasks]
    codes = [text.format(n=dice.choice(sizes)) for text, sizes in cells]
    file.parent.mkdir(parents=True, exist_ok=True)
    if not resume:
        file.write_text("", encoding="utf-8")
    done = {line["of"] for line in read(file)}
    plan = [(f"{name} {task.id}", name, task, code) for (name, task), code in zip(tasks, codes, strict=True)][:limit]
    open_ = [(number, *one) for number, one in enumerate(plan) if one[0] not in done]
    if not open_:
        return
    client, observer = DaemonClient(), Observer(model)
    client.load(model)
    with tempfile.TemporaryDirectory() as folder:
        for number, name, set_name, task, code in open_:
            seen = list(asked(client, observer, set_name, task, model, folder))
            if number % JOB_EVERY == 0:
                seen.append(job(code, ran(client, code)))
            with file.open("a", encoding="utf-8") as out:
                out.writelines(json.dumps({"of": name, **to_line(one)}) + "\n" for one in seen)
            note(f"{number + 1}/{len(plan)} {name}: {len(seen)} observations")


def asked(
    client: DaemonClient, observer: Observer, set_name: str, task: Task, model: str, folder: str
) -> Iterator[Observation]:
    """Ask a task's requests in a notebook of its own."""
    kernel = Kernel(folder)
    try:
        kernel.run("%load_ext llmos_jupyter", limit=60)
        kernel.call("start", set_name, task.id)
        if error := kernel.run(task.setup, limit=60).error:
            raise RuntimeError(f"the setup of {task.id} failed: {error}")
        for number, step in enumerate(task.steps):
            if not kernel.alive:
                return
            kernel.call("before", number)
            last = latest(client)
            output = kernel.run(f"%%llmos --model {model}\n{step.ask}", limit=REQUEST_LIMIT)
            now = latest(client)
            if now is None or (last is not None and now.id == last.id):
                continue
            trace = client.trace(now.id)
            verdict = graded(kernel, output, words_said(trace))
            yield from observer.request(trace, verdict.right and not verdict.harm)
    finally:
        if kernel.alive:
            kernel.close()


def ran(client: DaemonClient, code: str) -> Ended:
    """Run a background cell to its end."""
    identifier = uuid.uuid4().hex
    request = Request(id=identifier, kind="run", text="a background cell", session=session())
    task = client.submit_job(request, Job(id=identifier, code=code))
    began = time.monotonic()
    for item in client.outputs(task.id):
        if isinstance(item, Ended):
            return item
        if time.monotonic() - began > JOB_LIMIT:
            client.cancel(task.id)
    raise RuntimeError("a background cell has no end")


def read(file: Path) -> list[dict[str, str]]:
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


# --- reporting --------------------------------------------------------------------------------


def tell(file: Path) -> None:
    lines = read(file)
    trace = [from_line({key: value for key, value in line.items() if key != "of"}) for line in lines]
    predicted = replay(trace, Knowledge())
    kinds = sorted({general(seen.kind) for seen in trace})
    rows = [row(kind, [pair for pair in zip(trace, predicted, strict=True) if general(pair[0].kind) == kind])
            for kind in kinds]  # fmt: skip
    rows += [row("run, seen before", again)] if (again := seen_before(trace, predicted)) else []
    report("estimates", rows, tasks=len({line["of"] for line in lines}), observations=len(trace))


def seen_before(trace: list[Observation], predicted: list[Estimate]) -> list[tuple[Observation, Estimate]]:
    """The background cells whose code had run before."""
    known: set[str] = set()
    again = []
    for pair in zip(trace, predicted, strict=True):
        kind = pair[0].kind
        if kind != general(kind) and kind in known:
            again.append(pair)
        known.add(kind)
    return again


def row(name: str, pairs: list[tuple[Observation, Estimate]]) -> dict[str, object]:
    made = quality([seen for seen, _ in pairs], [estimate for _, estimate in pairs])
    return {
        "kind": name,
        "steps": made.steps,
        "brier": made.brier,
        "brier_constant": made.constant_brier,
        "ece": made.ece,
        "error": made.relative_error,
        "error_constant": made.constant_relative_error,
        "within_p90": made.covered,
    }


# --- a daemon's start -------------------------------------------------------------------------


def tell_start() -> None:
    """Milliseconds until the first prediction, from a full table, without stored estimates and with them."""
    dice = random.Random(SEED)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "llmos.db")
        Learned(store)
        rows: list[dict[str, object]] = []
        fill(store, KEPT, dice)
        rows.append({"stored": "nothing: all learned anew", "observations": KEPT, "ms": first_prediction(store)})
        learned = Learned(store)
        learned.learn("generation", "model 0", Features(), Prior(), Outcome(seconds=1.0))  # stores the estimates
        fill(store, STORE_EVERY - 1, dice)
        rows.append(
            {"stored": "the estimates, and those after", "observations": STORE_EVERY, "ms": first_prediction(store)}
        )
        store.close()
    report("estimates start", rows)


def fill(store: Store, count: int, dice: random.Random) -> None:
    """Rows as the daemon writes them, in one transaction."""
    made = [
        [
            json.dumps(asdict(part))
            for part in (
                Features(dice.uniform(20, 300), dice.uniform(0, 900)),
                Prior(),
                Outcome(dice.lognormvariate(0, 1), succeeded=dice.random() < 0.7),
            )
        ]
        for _ in range(count)
    ]
    with store.transaction() as db:
        db.executemany(
            "INSERT INTO observations (at, kind, resource, features, prior, outcome) VALUES (0, ?, ?, ?, ?, ?)",
            [(("generation", "repair", "answer")[n % 3], f"model {n % 4}", *parts) for n, parts in enumerate(made)],
        )


def first_prediction(store: Store) -> float:
    began = time.perf_counter()
    Learned(store).predict("generation", "model 0", Features(), Prior())
    return round(1000 * (time.perf_counter() - began), 1)


if __name__ == "__main__":
    main()
