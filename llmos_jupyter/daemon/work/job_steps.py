"""A background job as the schedule sees it: where it may run, what it needs, how long it takes, and what it took."""

from __future__ import annotations

import logging
import time

from llmos_jupyter.daemon.stores.job_store import JobStore
from llmos_jupyter.daemon.stores.learned import Learned
from llmos_jupyter.daemon.stores.store import Store, is_final
from llmos_jupyter.daemon.work.pools import MACHINE, WORKERS, Pools
from llmos_jupyter.daemon.work.schedule import Schedule
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Options, Task
from llmos_jupyter.protocol.jobs import Ended, Job
from llmos_jupyter.scheduling.estimating.estimates import Estimate, Features, Outcome, Prior
from llmos_jupyter.scheduling.problem import Option, Step

log = logging.getLogger(__name__)

# What a cell is taken to be before anything is known of it; the scheduler corrects itself as it overruns.
UNKNOWN = Prior(seconds=10.0, probability=0.9)
# The kind of a request in words in a worker.
ASKED = "asked"


class JobSteps:
    """Makes the steps of jobs, and learns from how they went."""

    def __init__(self, store: Store, jobs: JobStore, schedule: Schedule, pools: Pools, learned: Learned) -> None:
        self._store = store
        self._jobs = jobs
        self._schedule = schedule
        self._pools = pools
        self._learned = learned

    def step(
        self,
        task_id: str,
        notebook: str,
        options: Options,
        job: Job,
        after: tuple[str, ...] | None = None,
        created: float | None = None,
    ) -> Step:
        """What is scheduled for a job. Raises LLMOSError if what it is to wait for cannot be waited for."""
        now = time.monotonic()
        # One that passed while no daemon ran is no reason not to run any more.
        left = None if options.deadline is None else options.deadline - (time.time() - (created or time.time()))
        return Step(
            id=task_id,
            task=task_id,
            options={name: self._option(name, job) for name in self._eligible(options, job)},
            notebook=notebook,
            # A request in words waits for the model most of the time.
            cores=0.0 if job.lock_later else float(job.limits.cores),
            memory=self._memory(job),
            gpus=options.gpus,
            deadline=None if left is None or left <= 0 else now + left,
            priority=options.priority,
            after=self._unended(options.after) if after is None else after,
        )

    def _option(self, resource: str, job: Job) -> Option:
        estimate = self.predict(resource, job)
        return Option(duration=estimate.p50, probability=estimate.probability)

    def _memory(self, job: Job) -> float:
        """Bytes that are counted for a job: what it was given, else what its code used before, as far as the machine
        has as much."""
        if job.limits.memory_bytes:
            return float(job.limits.memory_bytes)
        estimate = self.predict(WORKERS, job)
        most = self._schedule.resources[MACHINE].memory or 0.0
        return min(estimate.memory, most) if estimate.seen else 0.0

    def predict(self, resource: str, job: Job) -> Estimate:
        """What a job will take: by its own earlier runs, if its code has run before."""
        if job.lock_later:
            return self._learned.predict(ASKED, resource, Features(), UNKNOWN)
        return self._learned.predict_run(job.code, resource, _features(job), UNKNOWN)

    def learn(self, task: Task, job: Job, resource: str, ended: Ended, seconds: float | None) -> None:
        """What a job took that has ended; no seconds where it was paused. Writes to the disk."""
        outcome = Outcome(
            seconds=seconds,
            memory=float(ended.peak_bytes) if ended.peak_bytes else None,
            succeeded=ended.state == "done",
        )
        try:
            if job.lock_later:
                self._learned.learn(ASKED, resource, Features(), UNKNOWN, outcome, task.id)
            else:
                self._learned.learn_run(job.code, resource, _features(job), UNKNOWN, outcome, task.id)
        except LLMOSError as error:
            log.error("nothing is learned of task %s: %s", task.number, error)

    def _eligible(self, options: Options, job: Job) -> tuple[str, ...]:
        if not job.lock_later:
            return self._pools.eligible(options)
        # The loop in a worker speaks to this daemon, which other machines cannot reach.
        if options.on not in ("", WORKERS):
            raise LLMOSError("Words are answered by a worker of this machine: leave --on out, or run Python there.")
        return (WORKERS,)

    def _unended(self, wanted: list[str]) -> tuple[str, ...]:
        """The tasks of these numbers that have not ended. Raises LLMOSError if one has failed or is not known."""
        open_: list[str] = []
        for key in wanted:
            task = self._store.task(key)
            if task.state in ("failed", "cancelled"):
                raise LLMOSError(f"Request {task.number}, which this is to wait for, is {task.state}: retry it first.")
            if not is_final(task):
                if not self._jobs.has(task.id):
                    raise LLMOSError(f"Request {task.number} is not a background task: only those can be waited for.")
                open_.append(task.id)
        return tuple(open_)


def _features(job: Job) -> Features:
    size = job.variables.bytes if job.variables else 0
    return Features(request_chars=float(len(job.code)), data_bytes=float(size))
