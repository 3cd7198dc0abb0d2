"""Code in the sandbox runs once, to its end, and tells meanwhile how far it is."""

from __future__ import annotations

import os
import resource
import signal
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from llmos_jupyter.agent.rehearsal.capture import Capture
from llmos_jupyter.agent.run.run_progress import EVERY, LATEST, RunProgress
from llmos_jupyter.effects.transaction import Ran, commit, run_in_sandbox, watched_run
from llmos_jupyter.sandbox.roots import Access
from tests.agent.rehearsal.shells import descendants, shell_with


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files that no other process uses."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def followed(code: str, **options: Any) -> tuple[list[RunProgress], Ran]:
    told = []
    run = watched_run(code, shell_with(), **options)
    while True:
        try:
            told.append(next(run))
        except StopIteration as end:
            return told, end.value


def test_what_was_printed_is_told_while_the_code_runs() -> None:
    told, ran = followed("import time\nfor i in range(4):\n    print('step', i)\n    time.sleep(0.3)\nx = 1")
    assert ran.committable
    assert [progress.seconds for progress in told] == sorted(progress.seconds for progress in told)
    assert all(ran.report.output.startswith(progress.printed) for progress in told)
    assert any(progress.printed.startswith("step 0") and "step 3" not in progress.printed for progress in told)
    ran.close()


def test_a_line_before_code_that_lets_no_thread_run_is_told_at_once() -> None:
    # C code that holds the interpreter's lock from its beginning to its end.
    told, _ = followed("print('summing')\nsum(range(30_000_000))")
    assert told[0].printed.startswith("summing")


C = "import ctypes, os, time\nlibc = ctypes.CDLL(None)\n"


def test_what_is_written_past_python_is_told_too_and_shown_with_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    loop = "for i in range(3):\n    os.write(1, b'gap %d\\n' % i)\n    time.sleep(0.5)\n"
    told, ran = followed(f"import os, time\n{loop}os.write(2, 'é'.encode())\ndel i")
    assert any(progress.printed.startswith("gap 0") and "gap 2" not in progress.printed for progress in told)
    assert ran.report.output == "gap 0\ngap 1\ngap 2\né"
    commit(ran)
    out, err = capsys.readouterr()
    assert (out, err) == ("gap 0\ngap 1\ngap 2\n", "é")


def test_what_a_c_library_prints_is_told_line_by_line() -> None:
    told, ran = followed(C + "for i in range(3):\n    libc.puts(b'gap %d' % i)\n    time.sleep(0.5)\ndel libc")
    assert any(progress.printed.startswith("gap 0") and "gap 2" not in progress.printed for progress in told)
    assert ran.report.output == "gap 0\ngap 1\ngap 2\n"
    ran.close()


def test_what_a_c_library_has_not_flushed_at_the_end_is_not_lost() -> None:
    _, ran = followed(C + "libc.printf(b'half a line')\ndel libc")
    assert ran.report.output == "half a line"
    ran.close()


def test_what_c_code_prints_is_bounded() -> None:
    code = "import os\nfor i in range(6_000): os.write(1, b'x' * 9_999 + b'\\n')\nos.write(1, b'last')\ndel i"
    _, ran = followed(code)
    assert ran.committable
    assert ran.refusals == []
    assert len(ran.report.output) < 70_000
    assert ran.report.output.endswith("x\nlast")
    ran.close()


def test_what_processes_print_that_the_code_may_start_is_told_too() -> None:
    code = (
        "import multiprocessing, subprocess\n"
        "subprocess.run(['echo', 'started'])\n"
        "p = multiprocessing.get_context('fork').Process(target=print, args=('forked',))\n"
        "p.start(); p.join(); del p"
    )
    _, ran = followed(code, access=Access(processes=True))
    assert ran.report.output == "started\nforked\n"
    ran.close()


def test_memory_in_use_is_told() -> None:
    told, _ = followed("import time\nx = b'1' * (100 << 20)\ntime.sleep(0.7)\ndel x")
    assert 90 << 20 < max(progress.bytes for progress in told) < 200 << 20


def test_a_progress_bar_is_its_last_state() -> None:
    bar = "print(f'\\r{i} of 6', end='', file=sys.stderr, flush=True)"
    code = f"import sys, time\nfor i in range(6):\n    {bar}\n    time.sleep(0.2)"
    told, ran = followed(code)
    assert {progress.printed for progress in told if progress.printed} <= {f"{i} of 6" for i in range(6)}
    assert len({progress.printed for progress in told}) > 2
    ran.close()


def test_a_run_takes_its_time_once_and_has_its_effect_once() -> None:
    shell = shell_with(n=0)
    began = time.monotonic()
    ran = run_in_sandbox("import time\nn += 1\ntime.sleep(1.5)", shell)
    assert 1.5 <= ran.report.seconds < 2 * 1.5
    assert time.monotonic() - began < 2 * 1.5 + 10  # the machine may be busy
    assert shell.user_ns["n"] == 0
    commit(ran)
    assert shell.user_ns["n"] == 1


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time\ntime.sleep(1000)",
        "sum(range(10**13))",  # C code that looks at no signal
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\nwhile True: pass",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ],
)
def test_an_interrupt_ends_any_code_at_once(code: str, own_folder: Path) -> None:
    shell, before = shell_with(x=1), descendants()
    pressed = []

    def stop() -> None:
        pressed.append(time.monotonic())
        signal.raise_signal(signal.SIGINT)

    threading.Timer(0.7, stop).start()
    with pytest.raises(KeyboardInterrupt):
        run_in_sandbox("x = 2\n" + code, shell)
    assert time.monotonic() - pressed[0] < 10  # 0.1 s on an idle machine
    assert shell.user_ns["x"] == 1
    assert descendants() == before
    assert not list(own_folder.iterdir())


def test_closing_the_generator_ends_the_run(own_folder: Path) -> None:
    before = descendants()
    with closing(watched_run("while True: pass", shell_with())) as run:
        next(run)
        assert len(descendants()) == len(before) + 1
    assert descendants() == before
    assert not list(own_folder.iterdir())


def test_more_than_any_report_may_say_is_printed_and_only_its_ends_are_kept() -> None:
    code = "line = 'x' * 999\nfor i in range(30_000): print(line)\nprint('the last')"  # 30 MB
    told, ran = followed(code)
    assert ran.committable, ran.report.reason
    assert all(len(progress.printed) <= LATEST for progress in told)
    assert len(ran.report.output) < 70_000
    assert ran.report.output.endswith("the last\n")
    ran.close()


def test_a_copy_that_floods_its_report_is_not_believed() -> None:
    """What is no output has its limit, whoever writes it."""
    code = (
        "import gc\ngc.unfreeze()\n"
        "report = next(o for o in gc.get_objects() if type(o).__name__ == 'Report')\n"
        "for _ in range(40): report.send('guess', capability='network', what='x' * (1 << 20), target='')"
    )
    _, ran = followed(code)
    assert ran.report.status == "died"
    assert "too long" in ran.report.reason


def test_a_budget_ends_what_is_still_running() -> None:
    _, ran = followed("print('begun')\nwhile True: pass", budget_seconds=0.6)
    assert ran.report.status == "unfinished"
    assert ran.report.output == "begun\n"
    assert not ran.committable


def test_a_capture_tells_everything_in_order_and_of_very_much_the_end() -> None:
    told: list[str] = []
    capture = Capture(told.append)
    for i in range(200):
        capture.write(f"{i}\n")
    time.sleep(2.5 * EVERY)
    assert "".join(told) == "".join(f"{i}\n" for i in range(200))
    capture.write("a")
    capture.write("x" * 1_000_000 + "z")
    time.sleep(2.5 * EVERY)
    assert len("".join(told)) < 40_000
    assert "characters left out" in "".join(told)
    assert told[-1].endswith("z")


def test_the_end_of_a_capture_begins_with_a_line() -> None:
    capture = Capture()
    for i in range(100):
        capture.write(f"line {i}\n")
    assert capture.end(20) == "line 98\nline 99\n"
    assert capture.end(100_000).startswith("line 0\n")
    capture.write("\r1 %\r2 %\r3 %")
    assert capture.end(12).endswith("3 %")


def test_the_copy_has_no_limit_of_processor_time_without_a_budget() -> None:
    code = "import resource\nprint(resource.getrlimit(resource.RLIMIT_CPU)[0])"
    _, ran = followed(code)
    assert int(ran.report.output) == resource.getrlimit(resource.RLIMIT_CPU)[1]
    ran.close()
    _, bounded = followed(code, budget_seconds=20)
    assert int(bounded.report.output) == 80 * (os.cpu_count() or 1)
    bounded.close()
