"""Answers recorded beside the notebook, and given again without a model while what they depend on is unchanged.

An answer depends on
* its request, with white space made even, and the options that say what the model is told (`--use`, `--no-context`)
  or which answer is wanted (`--seed`); not on the model, which whoever re-runs the notebook may not have;
* code: on the kinds of the variables that it reads (`kinds`): other columns, other types, a deleted variable ask
  again, other rows do not;
* words: on the values, as the model is told them, of the variables that the request or the answer names;
* the answer before it, which any request may refer to ("now by month", "the same for df2", "no, the median").

Execution counts, addresses, folders, sizes and the order of definitions do not matter. The file holds the request, the
code or words, and hashes; no value of the data that does not stand in these. Secrets are masked; code that holds one
is not recorded, for it could not run.

The file may come with somebody's repository. What this user recorded, or trusts, is signed (`signatures.py`); code
that is not signed is run only after a yes. A recording is never read or written through a link.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field, ValidationError

from llmos_jupyter._version import __version__
from llmos_jupyter.agent.replay import dependencies
from llmos_jupyter.agent.replay.dependencies import asked_hash, hash_of, normalised
from llmos_jupyter.agent.replay.recording_place import notebook_file as notebook_file
from llmos_jupyter.agent.replay.recording_place import recording_beside
from llmos_jupyter.agent.replay.recording_place import recording_file as recording_file
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.privacy.masking import mask
from llmos_jupyter.protocol import Options, Wire
from llmos_jupyter.signatures import Signatures

FORMAT = 1
# Bytes; a notebook's answers are a few kB.
LONGEST = 64 << 20


class Recorded(Wire):
    """One answer, as it stands in the file. `reads`: name of a variable and hash of what matters of it."""

    request: str
    kind: str = Field("code", pattern="^(code|words)$")
    answer: list[str] = Field(description="the code, or the words, line by line")
    asked: str = Field(description="hash of the request and its options")
    reads: dict[str, str] = Field(default_factory=dict)
    after: str = Field("", description="hash of the answer before; empty for a first request")
    model: str = ""
    made: str = Field("", description="the day, ISO 8601")
    version: str = ""

    @property
    def text(self) -> str:
        return "\n".join(self.answer)

    @property
    def key(self) -> str:
        return hash_of(self.asked, self.after, *(f"{name}={value}" for name, value in sorted(self.reads.items())))

    @property
    def whole(self) -> str:
        """What is signed: the answer with all that it depends on."""
        return json.dumps({"format": FORMAT, **self.model_dump(exclude_defaults=True)}, sort_keys=True)


# Of an answer that this user has not signed.
FOREIGN = "you did not record it on this machine"


class ReplayState(NamedTuple):
    """Whether a recorded request would be replayed in the present namespace. `why` not; of one that would, why its code
    is asked about first."""

    request: str
    replayed: bool
    why: str
    recorded: Recorded | None


class _Unreadable(LLMOSError):
    """The file holds something else than a recording."""


class Recording:
    """The recorded answers of one notebook, in one file. Read anew each time: it may come from version control.

    All methods raise LLMOSError for a file that cannot be read or written; such a file is left as it is.
    """

    def __init__(self, file: Path, signatures: Signatures | None = None) -> None:
        """`signatures`: those of the user; by default, of the data folder."""
        self.file = file
        self.signatures = signatures or Signatures()

    def find(
        self, request: str, options: Options, namespace: Mapping[str, object], previous: Sequence[str] = ()
    ) -> Recorded | None:
        """The answer to give again, one of this user's first; None if there is none, or what it depends on has changed.

        `previous`: code or words of the notebook's answers so far, in order, as the user may have edited them.
        """
        asked = asked_hash(request, options)
        same = [
            recorded
            for recorded in self._read().values()
            if recorded.asked == asked and not _changes(recorded, namespace, previous)
        ]
        return next(filter(self.signed, same), same[0] if same else None)

    def signed(self, recorded: Recorded) -> bool:
        """Whether this user recorded exactly this answer, or said yes to it."""
        return self.signatures.hold(recorded.whole)

    def sign(self, recorded: Recorded) -> None:
        """The user said yes to this answer: it is asked about no more."""
        self.signatures.sign([recorded.whole])

    def trust(self) -> int:
        """Sign every answer in the file; how many there are. Raises LLMOSError if there is no file."""
        if not self.file.exists():
            raise LLMOSError(f"There is no recording {self.file}: name one that ends in .llmos.json, or its notebook.")
        answers = self._read()
        self.signatures.sign(recorded.whole for recorded in answers.values())
        return len(answers)

    def add(self, recorded: Recorded | None) -> bool:
        """Store and sign what `record` made; false for None. The same request in the same context again replaces its
        answer."""
        if recorded is None:
            return False
        self._write({**self._read(), recorded.key: recorded})
        self.sign(recorded)
        return True

    def status(
        self, namespace: Mapping[str, object], previous: Sequence[str] = (), requests: Iterable[str] = ()
    ) -> list[ReplayState]:
        """For each recorded request, and each of `requests` that has no recording: replayed now, or asked, and why."""
        found = [
            ReplayState(
                recorded.request,
                not (why := _changes(recorded, namespace, previous)),
                why or ("" if self.signed(recorded) else FOREIGN),
                recorded,
            )
            for recorded in self._read().values()
        ]
        known = {state.request for state in found}
        missing = dict.fromkeys(normalised(request) for request in requests)
        found += [ReplayState(text, False, "it was never recorded", None) for text in missing if text not in known]
        return sorted(found, key=lambda state: (state.request, state.why))

    def clear(self) -> str:
        """Remove the file; one sentence on what it held. One that cannot be read is set aside, not removed.

        Raises LLMOSError for the recording of a newer version, and where the file cannot be removed.
        """
        name = self.file.name
        try:
            try:
                count = len(self._read())
            except _Unreadable:
                aside = _unused(self.file.with_name(f"{name}.damaged"))
                self.file.replace(aside)
                return f"{name} could not be read and was set aside as {aside.name}; a new recording begins."
            self.file.unlink(missing_ok=True)
        except OSError as error:
            raise LLMOSError(
                f"{self.file} could not be removed ({error.strerror}): make its folder writable and clear again."
            ) from error
        return f"{count} recorded answer{'s' * (count != 1)} removed from {name}."

    def _read(self) -> dict[str, Recorded]:
        try:
            found = json.loads(_content(self.file))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:  # bytes that are no UTF-8 and text that is no JSON are ValueErrors
            raise self._unreadable(str(error)) from error
        if not isinstance(found, dict) or not isinstance(found.get("answers"), dict):
            raise self._unreadable("it is no recording")
        if found.get("format") != FORMAT:
            raise LLMOSError(
                f"The recording {self.file} was written by a newer llmos-jupyter: upgrade this one, "
                "or set LLMOS_REPLAY to another file."
            )
        try:
            return {key: Recorded.model_validate(value) for key, value in found["answers"].items()}
        except ValidationError as error:
            raise self._unreadable(error.errors()[0]["msg"]) from error

    def _unreadable(self, why: str) -> _Unreadable:
        return _Unreadable(
            f"The recording {self.file} cannot be read ({why}): mend it (a merge may have left its marks in it), "
            "or set it aside with `%llmos replay clear`."
        )

    def _write(self, answers: dict[str, Recorded]) -> None:
        shown = {key: answers[key].model_dump(exclude_defaults=True) for key in answers}
        text = json.dumps({"format": FORMAT, "answers": shown}, indent=1, sort_keys=True, ensure_ascii=False)
        # A name that is no link, and takes the place of one that has become one since it was read.
        draft = self.file.with_name(f".{self.file.name}.{os.getpid()}.tmp")
        try:
            draft.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(os.open(draft, flags, 0o666), "w", encoding="utf-8", newline="\n") as output:
                output.write(text + "\n")
            draft.replace(self.file)
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            raise LLMOSError(
                f"The answer could not be recorded in {self.file} ({error.strerror}): make room or set LLMOS_REPLAY to "
                "a file that can be written."
            ) from error


def record(
    request: str,
    options: Options,
    namespace: Mapping[str, object],
    previous: Sequence[str] = (),
    *,
    kind: str,
    answer: str,
    model: str,
) -> Recorded | None:
    """What to hand to `Recording.add` once the answer proved good. Call it before the answer's code runs, for the
    namespace is looked at as it was when the request was made. None if the code holds a secret.
    """
    if kind == "code" and mask(answer) != answer:
        return None
    return Recorded(
        request=normalised(request),
        kind=kind,
        answer=mask(answer).split("\n"),
        asked=asked_hash(request, options),
        reads=dependencies.reads(request, options, answer, kind, namespace),
        after=dependencies.after(previous),
        model=model,
        made=datetime.date.today().isoformat(),
        version=__version__,
    )


def _changes(recorded: Recorded, namespace: Mapping[str, object], previous: Sequence[str]) -> str:
    """Why a recorded answer does not hold here and now; empty if it does."""
    for name, before in recorded.reads.items():
        if name not in namespace and before:
            return f"{name} does not exist"
        if dependencies.state(recorded.kind, name, namespace) != before:
            return f"{name} is not what it was"
    if recorded.after and recorded.after != dependencies.after(previous):
        return "the answer before it is another one"
    return ""


# --- files --------------------------------------------------------------------------------------


def recording_named(file: str) -> Recording:
    """The recording of this name, or of the notebook of this name."""
    path = Path(file).expanduser().absolute()
    return Recording(recording_beside(path) if path.suffix == ".ipynb" else path)


def trusted(recording: Recording) -> str:
    """Trust a whole recording, and say so in a sentence."""
    count = recording.trust()
    answers = "1 recorded answer" if count == 1 else f"{count} recorded answers"
    return f"{answers} in {recording.file.name} may now run as if you had recorded them."


def _content(file: Path) -> str:
    """The text of a file of its folder's own: no link, nothing that would keep a reader waiting.

    Raises OSError, or ValueError for what is no recording whatever stands in it.
    """
    if file.is_symlink():
        raise ValueError("it is a link to another file")
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(file, flags), encoding="utf-8") as content:
        status = os.fstat(content.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > LONGEST:
            raise ValueError("it is no recording")
        return content.read()


def notebook_requests(notebook: Path | None) -> list[str]:
    """The requests in the `%%llmos` cells of a notebook as it was last saved; none if it cannot be read."""
    if notebook is None:
        return []
    try:
        cells: Any = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):  # not saved yet, or another format
        return []
    bodies = [source.partition("\n")[2] for source in sources if re.match(r"%%llmos\b", source)]
    return [body.strip() for body in bodies if body.strip()]


def _unused(file: Path) -> Path:
    """The name, or the next one with a number that no file has."""
    number, found = 1, file
    while found.exists():
        number += 1
        found = file.with_name(f"{file.name}-{number}")
    return found
