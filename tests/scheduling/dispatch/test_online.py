"""The list scheduler: who goes first, what each event does, and that nothing starves or is overbooked."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import INTERACTIVE, LOW, NORMAL
from llmos_jupyter.scheduling import policy
from llmos_jupyter.scheduling.dispatch.online import ListScheduler
from llmos_jupyter.scheduling.dispatch.service import HALF_LIFE, UNIT, Service
from llmos_jupyter.scheduling.plan import Placement, timetable, violations
from llmos_jupyter.scheduling.problem import GIB, Option, Resource, Step
from tests.examples import examples

ENGINE = Resource("engine")
MACHINE = (
    Resource("machine", slots=0, cores=4, memory=8 * GIB, gpus=1),
    Resource("engine", slots=2, within="machine", held_cores=3),
    Resource("worker", slots=4, within="machine"),
)


def generation(name: str, seconds: float = 1.0, **more: object) -> Step:
    return Step(name, {"engine": Option(seconds)}, **more)  # type: ignore[arg-type]


def code(name: str, seconds: float = 1.0, **more: object) -> Step:
    return Step(name, {"worker": Option(seconds)}, **more)  # type: ignore[arg-type]


def started(scheduler: ListScheduler, now: float) -> list[str]:
    return [start.step for start in scheduler.decide(now).starts]


def order(scheduler: ListScheduler, seconds: float = 1.0) -> list[str]:
    """Run everything that waits, one after the other, each for so long."""
    now, names = scheduler.now, []
    while starts := started(scheduler, now):
        assert len(starts) == 1
        names += starts
        now += seconds
        scheduler.end(starts[0], now)
    return names


def test_the_higher_class_goes_first_then_the_shorter_then_who_came_first() -> None:
    scheduler = ListScheduler([ENGINE])
    for step in (
        generation("low", priority=LOW),
        generation("long", 5.0),
        generation("short", 2.0),
        generation("short too", 2.0),
        generation("between", 9.0, priority=60),
        generation("now", 9.0, priority=INTERACTIVE),
    ):
        scheduler.add(step, 0.0)
    assert order(scheduler) == ["now", "between", "short", "short too", "long", "low"]


def test_a_notebook_that_had_much_service_lets_others_go_first() -> None:
    scheduler = ListScheduler([ENGINE])
    scheduler.add(generation("a0", 100.0, notebook="a"), 0.0)
    assert started(scheduler, 0.0) == ["a0"]
    scheduler.end("a0", 100.0)
    scheduler.add(generation("a1", 1.0, notebook="a"), 100.0)
    scheduler.add(generation("b1", 5.0, notebook="b"), 100.0)
    assert started(scheduler, 100.0) == ["b1"]
    scheduler.end("b1", 105.0)
    assert started(scheduler, 105.0) == ["a1"]


def test_service_is_forgotten_with_time() -> None:
    service = Service()
    assert service.add("a", 8 * UNIT, 0.0)
    assert service.level("a") == 4
    assert service.advance(HALF_LIFE - 1) == ["a"]
    assert service.level("a") == 3
    service.advance(5 * HALF_LIFE)
    assert service.level("a") == 0
    service.advance(20 * HALF_LIFE)
    assert service.seconds("a", 20 * HALF_LIFE) == 0.0


def test_long_low_steps_do_not_starve_under_a_stream_of_interactive_ones() -> None:
    scheduler = ListScheduler([ENGINE])
    scheduler.add(generation("low", 30.0, priority=LOW), 0.0)
    now, name = 0.0, ""
    for number in range(2000):
        for twin in "ab":  # two arrive for each one that is served: the queue only grows
            scheduler.add(generation(f"{number}{twin}", 1.0, priority=INTERACTIVE), now)
        (name,) = started(scheduler, now)
        now += 1.0
        scheduler.end(name, now)
        if name == "low":
            break
    assert name == "low"
    earning = (policy.DUE_SHARE - 1) * 30.0
    assert policy.patience(LOW) + earning <= now <= policy.patience(LOW) + earning + 35.0


def test_due_steps_take_no_more_than_their_share_of_the_time_from_interactive_ones() -> None:
    scheduler = ListScheduler([ENGINE])
    for number in range(40):
        scheduler.add(generation(f"low {number}", 3.0, priority=LOW), 0.0)
    now = policy.patience(LOW) + 1.0
    for number in range(100):
        scheduler.add(generation(f"now {number}", 1.0, priority=INTERACTIVE), now)
    names, began = [], now
    while now < began + 100.0:
        (start,) = scheduler.decide(now).starts
        names.append(start.step)
        now += start.duration
        scheduler.end(start.step, now)
    low = 3.0 * sum(name.startswith("low") for name in names)
    assert low == pytest.approx(100.0 / policy.DUE_SHARE, abs=3.0)


def test_due_steps_that_get_their_share_of_the_time_anyway_take_none_from_interactive_ones() -> None:
    scheduler = ListScheduler([ENGINE])
    for number in range(200):
        scheduler.add(generation(f"low {number}", 20.0, priority=LOW, preemptible=True), 0.0)
    now = policy.patience(LOW) + 1.0
    (low,) = started(scheduler, now)
    assert scheduler.decide(now).yields == ()
    for number in range(100):  # busy for two seconds of ten with them
        now += 8.0
        scheduler.add(generation(f"now {number}", 2.0, priority=INTERACTIVE), now)
        assert [told.step for told in scheduler.decide(now).yields] == [low]
        scheduler.pause(low, now, left=0.6)
        assert started(scheduler, now) == [f"now {number}"]
        now += 2.0
        scheduler.end(f"now {number}", now)
        (low,) = started(scheduler, now)


def test_a_due_step_whose_turn_it_is_gives_way_again_after_a_while() -> None:
    scheduler = ListScheduler([ENGINE])
    scheduler.add(generation("low", 500.0, priority=LOW, preemptible=True), 0.0)
    scheduler.add(generation("now", 3 * policy.TURN, priority=INTERACTIVE), policy.patience(LOW) + 1.0)
    now = policy.patience(LOW) + 1.0
    assert started(scheduler, now) == ["now"]
    now += 3 * policy.TURN
    scheduler.add(generation("next", 1.0, priority=INTERACTIVE), now)
    scheduler.end("now", now)
    assert started(scheduler, now) == ["low"]
    assert scheduler.decide(now + policy.TURN - 1.0).yields == ()
    assert [told.step for told in scheduler.decide(now + policy.TURN).yields] == ["low"]


def test_a_deadline_brings_a_step_forward_in_time() -> None:
    scheduler = ListScheduler([ENGINE])
    scheduler.add(generation("urgent", 10.0, deadline=40.0), 0.0)
    for number in range(60):
        scheduler.add(generation(f"short {number}", 1.0), 0.0)
    now = 0.0
    while True:
        (start,) = scheduler.decide(now).starts
        if start.step == "urgent":
            break
        now += 1.0
        scheduler.end(start.step, now)
    assert 20.0 <= now <= 30.0
    assert "deadline" in start.reason


def test_what_does_not_fit_is_passed_over_but_not_for_ever() -> None:
    scheduler = ListScheduler(MACHINE)
    scheduler.add(code("big", 10.0, cores=4), 0.0)
    scheduler.add(code("small 0", 2.0, cores=2), 0.0)
    assert started(scheduler, 0.0) == ["small 0"]  # shorter
    now, number = 0.0, 0
    begun: dict[str, float] = {"small 0": 0.0}
    while "big" not in begun:
        # There is always a small one running when another ends: `big` never fits by itself.
        number += 1
        scheduler.add(code(f"small {number}", 2.0, cores=2), now)
        now += 1.0
        for name in [name for name, at in begun.items() if at + 2.0 <= now]:
            scheduler.end(name, now)
            del begun[name]
        for name in started(scheduler, now):
            begun[name] = now
        assert number < 1000
    assert policy.patience(NORMAL) <= now <= policy.patience(NORMAL) + 5


def test_beside_a_due_step_that_does_not_fit_only_what_ends_before_it_can_start() -> None:
    scheduler = ListScheduler(MACHINE)
    scheduler.add(code("running", 1000.0, cores=2), 0.0)
    scheduler.decide(0.0)
    scheduler.add(code("big", 10.0, cores=4), 0.0)
    now = policy.patience(NORMAL) + 1.0
    scheduler.add(code("too long", 900.0, cores=1), now)
    scheduler.add(code("short", 100.0, cores=1), now)
    assert started(scheduler, now) == ["short"]
    assert "waited too long" in scheduler.why("too long", now)
    scheduler.end("short", now + 100.0)
    scheduler.end("running", 1000.0)
    assert started(scheduler, 1000.0) == ["big"]


def test_an_engine_and_a_worker_do_not_fight_for_cores() -> None:
    scheduler = ListScheduler(MACHINE)
    scheduler.add(generation("g1", priority=INTERACTIVE), 0.0)
    scheduler.add(generation("g2", priority=INTERACTIVE), 0.0)
    scheduler.add(code("c1", cores=1), 0.0)
    scheduler.add(code("c2", cores=1), 0.0)
    assert started(scheduler, 0.0) == ["g1", "g2", "c1"]
    assert "cores of machine" in scheduler.why("c2", 0.5)
    scheduler.end("g1", 1.0)
    assert started(scheduler, 1.0) == []
    scheduler.end("g2", 1.5)
    (start,) = scheduler.decide(1.5).starts
    assert start.reason == "first in class normal; waited 1.5 s for cores of machine"


def test_the_free_resource_that_takes_least_is_chosen() -> None:
    scheduler = ListScheduler([Resource("slow"), Resource("fast")])
    both = {"slow": Option(9.0), "fast": Option(2.0)}
    for name in "ab":
        scheduler.add(Step(name, both), 0.0)
    assert [(start.step, start.resource) for start in scheduler.decide(0.0).starts] == [("a", "fast"), ("b", "slow")]


def test_dependencies_releases_and_failures() -> None:
    scheduler = ListScheduler([Resource("engine", slots=9)])
    scheduler.add(generation("a"), 0.0)
    scheduler.add(generation("b", after=("a",)), 0.0)
    scheduler.add(generation("c", after=("b",)), 0.0)
    scheduler.add(generation("later", release=5.0), 0.0)
    scheduler.add(generation("after a, later", after=("a",), release=7.0), 0.0)
    assert started(scheduler, 0.0) == ["a"]
    assert scheduler.why("b", 0.5) == "It waits for a to end."
    assert scheduler.why("later", 1.0) == "It may start in 4.0 s."
    scheduler.end("a", 2.0)
    assert started(scheduler, 2.0) == ["b"]
    assert started(scheduler, 5.0) == ["later"]
    assert started(scheduler, 7.0) == ["after a, later"]
    scheduler.retry("b", 7.0, after=3.0)
    assert started(scheduler, 9.0) == []
    assert started(scheduler, 10.0) == ["b"]
    dropped = scheduler.fail("b", 11.0)
    assert [(drop.step, drop.reason) for drop in dropped] == [("c", "it waited for b, which failed")]
    with pytest.raises(LLMOSError, match="which failed"):
        scheduler.add(generation("d", after=("b",)), 12.0)
    scheduler.add(generation("e", after=("a",)), 12.0)
    assert started(scheduler, 12.0) == ["e"]


def test_cancelling_takes_what_depends_on_it_along() -> None:
    scheduler = ListScheduler([ENGINE])
    for step in (generation("a"), generation("b", after=("a",)), generation("c", after=("b",)), generation("d", 2.0)):
        scheduler.add(step, 0.0)
    assert {drop.step for drop in scheduler.cancel("a", 0.0)} == {"b", "c"}
    assert order(scheduler) == ["d"]
    for name in ("a", "d", "nobody"):
        with pytest.raises(LLMOSError, match="nothing to cancel"):
            scheduler.cancel(name, 9.0)


def test_a_running_step_yields_to_a_higher_class_and_goes_on_later() -> None:
    scheduler = ListScheduler([ENGINE])
    scheduler.add(generation("background", 60.0, preemptible=True, priority=LOW), 0.0)
    assert started(scheduler, 0.0) == ["background"]
    scheduler.add(generation("asked", 2.0, priority=INTERACTIVE), 10.0)
    decision = scheduler.decide(10.0)
    assert [(y.step, y.waiting) for y in decision.yields] == [("background", "asked")]
    scheduler.pause("background", 10.0, left=0.8)
    assert started(scheduler, 10.0) == ["asked"]
    scheduler.end("asked", 12.0)
    (start,) = scheduler.decide(12.0).starts
    assert (start.step, start.duration) == ("background", pytest.approx(48.0))


def test_places_that_become_free_one_by_one_are_kept_until_all_have_given_way() -> None:
    scheduler = ListScheduler([Resource("engine", slots=2, undivided=True)])
    for name in ("a", "b", "c"):
        scheduler.add(generation(name, 60.0, preemptible=True, priority=LOW), 0.0)
    assert started(scheduler, 0.0) == ["a", "b"]
    scheduler.add(generation("asked", 2.0, priority=INTERACTIVE), 10.0)
    assert sorted(told.step for told in scheduler.decide(10.0).yields) == ["a", "b"]
    scheduler.pause("a", 10.1)
    assert started(scheduler, 10.1) == []
    assert "gives way" in scheduler.why("asked", 10.1)
    scheduler.pause("b", 10.2)
    assert started(scheduler, 10.2) == ["asked"]
    scheduler.end("asked", 12.2)
    assert len(started(scheduler, 12.2)) == 2


def test_what_cannot_be_paused_is_not_asked_to() -> None:
    scheduler = ListScheduler([ENGINE])
    scheduler.add(generation("background", 60.0, priority=LOW), 0.0)
    scheduler.decide(0.0)
    scheduler.add(generation("asked", priority=INTERACTIVE), 1.0)
    assert scheduler.decide(1.0).yields == ()


def test_an_overrun_is_told_once_a_doubling() -> None:
    scheduler = ListScheduler([ENGINE])
    scheduler.add(generation("a", 10.0), 0.0)
    scheduler.decide(0.0)
    told = [now for now in range(1, 100) if scheduler.decide(float(now)).overran]
    assert told == [11, 23, 47, 95]


def test_a_resource_goes_and_comes_back() -> None:
    scheduler = ListScheduler([Resource("engine"), Resource("worker")])
    scheduler.add(generation("g"), 0.0)
    scheduler.add(code("c"), 0.0)
    assert sorted(started(scheduler, 0.0)) == ["c", "g"]
    assert scheduler.change_resources([Resource("worker")], 1.0) == ["g"]
    assert started(scheduler, 1.0) == []
    assert scheduler.window(10, 1.0).step.keys() == {"c"}
    scheduler.change_resources([Resource("engine"), Resource("worker")], 2.0)
    assert started(scheduler, 2.0) == ["g"]


@pytest.mark.parametrize("options", [("cluster", "worker"), ("worker", "cluster")])
def test_what_fits_nowhere_any_more_keeps_nobody_from_starting(options: tuple[str, str]) -> None:
    scheduler = ListScheduler([*MACHINE, Resource("cluster", cores=64)])
    scheduler.add(Step("large", {name: Option(1.0) for name in options}, cores=32), 0.0)
    scheduler.hold("large", 0.0)
    scheduler.change_resources(MACHINE, 1.0)
    scheduler.release("large", 2.0)
    now = policy.patience(NORMAL) + 3.0
    scheduler.add(code("small", cores=1), now)
    assert started(scheduler, now) == ["small"]
    scheduler.end("small", now + 1.0)
    scheduler.change_resources([*MACHINE, Resource("cluster", cores=64)], now + 2.0)
    assert started(scheduler, now + 2.0) == ["large"]


def test_a_clock_that_jumps_back_counts_as_standing_still() -> None:
    scheduler = ListScheduler([ENGINE])
    scheduler.add(generation("a", release=50.0), 0.0)
    assert started(scheduler, 60.0) == ["a"]
    scheduler.add(generation("b"), 10.0)
    scheduler.end("a", 10.0)
    assert started(scheduler, 10.0) == ["b"]
    assert scheduler.now == 60.0


def test_a_priority_changes_while_waiting() -> None:
    scheduler = ListScheduler([ENGINE])
    for name in "abc":
        scheduler.add(generation(name), 0.0)
    scheduler.add(generation("d", after=("b",)), 0.0)
    scheduler.reprioritise("c", INTERACTIVE, 0.0)
    scheduler.reprioritise("a", LOW, 0.0)
    scheduler.reprioritise("d", INTERACTIVE, 0.0)
    assert order(scheduler) == ["c", "b", "d", "a"]
    with pytest.raises(LLMOSError, match="not waiting"):
        scheduler.reprioritise("a", NORMAL, 9.0)


def test_events_for_steps_in_another_state_are_refused() -> None:
    scheduler = ListScheduler([ENGINE])
    scheduler.add(generation("a"), 0.0)
    with pytest.raises(LLMOSError, match="queued already"):
        scheduler.add(generation("a"), 0.0)
    with pytest.raises(LLMOSError, match="not running"):
        scheduler.end("a", 0.0)
    with pytest.raises(LLMOSError, match="already past"):
        scheduler.add(generation("b", deadline=1.0), 2.0)
    with pytest.raises(LLMOSError, match="does not exist"):
        scheduler.add(generation("c", after=("z",)), 2.0)


def test_an_improved_plan_is_followed_until_something_unforeseen_happens() -> None:
    def scheduler_with_plan() -> ListScheduler:
        scheduler = ListScheduler([ENGINE])
        for name in "abc":
            scheduler.add(generation(name), 0.0)
        scheduler.follow(
            {name: Placement(name, "engine", at, at + 1, at + 1) for name, at in (("c", 0.0), ("a", 1.0), ("b", 2.0))},
            0.0,
        )
        return scheduler

    assert order(scheduler_with_plan()) == ["c", "a", "b"]
    disturbed = scheduler_with_plan()
    (start,) = disturbed.decide(0.0).starts
    assert "improved plan" in start.reason
    disturbed.add(generation("new", priority=INTERACTIVE), 0.5)
    disturbed.end("c", 1.0)
    assert order(disturbed) == ["new", "a", "b"]


def test_the_window_is_what_would_go_next_with_what_runs() -> None:
    scheduler = ListScheduler(MACHINE)
    scheduler.add(generation("running", 10.0, priority=INTERACTIVE), 0.0)
    scheduler.decide(0.0)
    for number in range(50):
        scheduler.add(code(f"c{number}", 1.0 + number, cores=2), 1.0)
    scheduler.add(code("follows", after=("running",)), 1.0)
    scheduler.add(code("first", 99.0, priority=INTERACTIVE), 4.0)
    window = scheduler.window(20, 4.0)
    assert window.running == {"running"}
    assert window.step["running"].options["engine"].duration == pytest.approx(6.0)
    assert len(window.steps) == 21
    assert {"first", "c0", "c18"} <= window.step.keys()
    assert "c19" not in window.step
    plan = timetable(window, [(step.id, None) for step in window.ordered()])
    assert violations(window, plan) == []


EVENTS = st.integers(0, 2**32 - 1)


@settings(max_examples=examples(60), deadline=None)
@given(EVENTS)
def test_whatever_happens_nothing_is_overbooked_lost_or_run_twice(seed: int) -> None:
    dice = random.Random(seed)
    scheduler = ListScheduler(MACHINE)
    now, running, waiting, ended, gone = 0.0, {}, {}, set(), set()
    for number in range(150):
        now += dice.choice((0.0, 0.5, 30.0))
        event = dice.random()
        if event < 0.5 or not running:
            known = sorted([*running, *waiting, *ended])
            step = Step(
                f"s{number}",
                {name: Option(dice.uniform(0.1, 60)) for name in dice.sample(["engine", "worker"], dice.randint(1, 2))},
                notebook=dice.choice("xyz"),
                cores=dice.choice((0, 0, 1)),
                memory=dice.uniform(0, 6) * GIB,
                gpus=dice.randint(0, 1),
                release=now + dice.choice((0, 0, 20)),
                priority=dice.choice((LOW, NORMAL, INTERACTIVE, 7)),
                after=tuple(dice.sample(known, min(len(known), dice.choice((0, 0, 1, 2))))),
                preemptible=dice.random() < 0.5,
            )
            scheduler.add(step, now)
            waiting[step.id] = step
        else:
            name = dice.choice(sorted(running))
            if event < 0.8:
                scheduler.end(name, now)
                running.pop(name)
                ended.add(name)
            elif event < 0.85:
                waiting[name] = running.pop(name)[0]
                scheduler.retry(name, now, after=dice.choice((0.0, 5.0)))
            elif event < 0.9:
                waiting[name] = running.pop(name)[0]
                scheduler.pause(name, now, left=0.5)
            else:
                victim = dice.choice(sorted([*running, *waiting]))
                running.pop(victim, None)
                waiting.pop(victim, None)
                gone.add(victim)
                for drop in scheduler.cancel(victim, now):
                    del waiting[drop.step]
                    gone.add(drop.step)
        for start in scheduler.decide(now).starts:
            step = waiting.pop(start.step)
            assert set(step.after) <= ended
            running[start.step] = (step, start.resource)
            assert start.reason
        assert scheduler.waiting() == len(waiting)
        check_not_overbooked(running)
        for name in [*running, *waiting]:
            assert scheduler.why(name, now).endswith(".")
        window = scheduler.window(8, now)
        assert window.running == set(running)
    while waiting or running:
        now += 40.0
        for name in list(running):
            scheduler.end(name, now)
            ended.add(name)
        running = {start.step: (waiting.pop(start.step), start.resource) for start in scheduler.decide(now).starts}


def check_not_overbooked(running: dict[str, tuple[Step, str]]) -> None:
    on = [name for _, name in running.values()]
    assert on.count("engine") <= 2
    assert on.count("worker") <= 4
    assert sum(step.memory for step, _ in running.values()) <= 8 * GIB * (1 + 1e-6)
    assert sum(step.gpus for step, _ in running.values()) <= 1
    assert sum(step.cores for step, _ in running.values()) + 3 * ("engine" in on) <= 4


@settings(max_examples=40, deadline=None)
@given(EVENTS)
def test_the_heaps_agree_with_sorting_everything(seed: int) -> None:
    dice = random.Random(seed)
    scheduler = ListScheduler([ENGINE])
    waiting: dict[str, Step] = {}
    now = 0.0
    for number in range(120):
        if dice.random() < 0.7:
            step = generation(
                f"s{number}",
                dice.choice((1.0, 5.0, 50.0)),
                notebook=dice.choice("xyz"),
                priority=dice.choice((NORMAL, INTERACTIVE)),
            )
            scheduler.add(step, now)
            waiting[step.id] = step
        elif dice.random() < 0.3 and waiting:
            name = dice.choice(sorted(waiting))
            scheduler.cancel(name, now)
            del waiting[name]
        if dice.random() < 0.5 and waiting:
            expected = scheduler.window(1, now).steps[0].id
            (name,) = started(scheduler, now)
            assert name == expected
            del waiting[name]
            now += dice.choice((0.5, 3.0))
            scheduler.end(name, now)


# --- engines that share a device --------------------------------------------------------------------

SHARED = [
    Resource("cpu", cores=1, undivided=True),
    Resource("small", slots=4, within="cpu", held_cores=1, undivided=True),
    Resource("large", slots=4, within="cpu", held_cores=1, undivided=True),
]


def on(name: str, engine: str, seconds: float = 5.0, **more: object) -> Step:
    return Step(name, {engine: Option(seconds)}, notebook=name, preemptible=True, **more)  # type: ignore[arg-type]


def test_engines_of_one_device_write_one_after_the_other_each_in_all_its_slots() -> None:
    scheduler = ListScheduler(SHARED)
    for step in (on("a", "small"), on("b", "small"), on("c", "large")):
        scheduler.add(step, 0.0)
    assert [start.step for start in scheduler.decide(0.0).starts] == ["a", "b"]
    assert "for cpu, on which another engine writes" in scheduler.why("c", 1.0)
    scheduler.end("a", 2.0)
    assert not scheduler.decide(2.0).starts
    scheduler.end("b", 3.0)
    assert [start.step for start in scheduler.decide(3.0).starts] == ["c"]


def test_an_engine_that_is_always_asked_lets_the_other_write() -> None:
    scheduler = ListScheduler(SHARED)
    scheduler.add(on("a", "small"), 0.0)
    scheduler.decide(0.0)
    scheduler.add(on("b", "large"), 1.0)
    scheduler.add(on("c", "small"), 1.0)
    assert not scheduler.decide(1.0).starts, "room is kept for what came first"
    scheduler.end("a", 5.0)
    assert [start.step for start in scheduler.decide(5.0).starts] == ["b"]


def test_less_urgent_work_gives_way_to_another_engine_of_its_device() -> None:
    scheduler = ListScheduler(SHARED)
    scheduler.add(on("low", "small", priority=0.0), 0.0)
    scheduler.decide(0.0)
    scheduler.add(on("urgent", "large", priority=100.0), 1.0)
    assert [give.step for give in scheduler.decide(1.0).yields] == ["low"]
    scheduler.pause("low", 1.5, left=0.5)
    assert [start.step for start in scheduler.decide(1.5).starts] == ["urgent"]
    scheduler.end("urgent", 3.0)
    assert [start.step for start in scheduler.decide(3.0).starts] == ["low"]


def test_what_waits_too_long_for_one_engine_gets_its_turn_from_the_other() -> None:
    scheduler = ListScheduler(SHARED)
    scheduler.add(on("low", "large", priority=0.0), 0.0)
    started: dict[str, float] = {}
    running: dict[str, float] = {}
    for second in range(4000):
        now = float(second)
        scheduler.add(on(f"urgent-{second}", "small", 1.0, priority=100.0), now)
        for name, ends in list(running.items()):
            if ends <= now:
                scheduler.end(name, now)
                del running[name]
        for start in scheduler.decide(now).starts:
            started[start.step] = now
            running[start.step] = now + start.duration
        if "low" in started:
            break
    assert 1800.0 < started["low"] < 2000.0, "half an hour is what a low one is let wait"
