"""What code wants to do outside the namespace, and what one notebook's user has granted.

Reading under the notebook's folder is granted. All else asks. A yes to reading or writing a file grants its folder for
as long as the notebook lives, and no more than that, for the sandbox tells of each file that code was kept from. A yes
to the network, to processes or to installing holds for the answer it was said to: the sandbox is open to those or it is
not. `%llmos allow` grants more in advance, `%llmos revoke` takes it back, and an administrator's caps (`caps`) limit
both. What was granted loosens the sandbox by that much (`Grants.access`), and never the notebook's kernel.
"""

from __future__ import annotations

import os
import re
import site
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass

from llmos_jupyter.agent.capability.caps import Caps
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Capability, Finding, Refusal, Rehearsal
from llmos_jupyter.sandbox.roots import Access, Roots, beneath

READ, WRITE, NET = Capability.READ_FILES, Capability.WRITE_FILES, Capability.NETWORK
PROC, INSTALL, EXIT, INPUT = Capability.PROCESSES, Capability.INSTALL, Capability.EXIT, Capability.INPUT
FILES = frozenset({READ, WRITE})
# Never granted in advance or for a notebook: whoever ends the kernel or waits for the keyboard asks each time.
ASKED_EACH_TIME = frozenset({EXIT, INPUT, Capability.KERNEL})

FORMS = (
    "`read FOLDER`, `read files`, `write FOLDER`, `write files`, `network`, `processes` or `install "
    "packages`, each with `for this answer` behind it if it should end with the next answer"
)
_FOR_THIS = re.compile(r"\s+for\s+this\s+answer\.?$", re.I)


@dataclass(frozen=True)
class Want:
    """One thing a candidate would do outside the namespace. `what` is the real path, the host or the command it is done
    to; empty where that is not known."""

    capability: Capability
    what: str = ""

    def __str__(self) -> str:
        return self.capability.value + (f" ({self.what})" if self.what else "")


def wants(findings: Iterable[Finding], rehearsal: Rehearsal | None, roots: Roots) -> list[Want]:
    """What a candidate wants beyond what all code may, from its inspection and from what its rehearsal was refused.

    What inspection found without a path is dropped where the rehearsal names one, and for reading, which the rehearsal
    tells by path. Paths are resolved against the present working directory.
    """
    found = [_refused(refusal) for refusal in rehearsal.refusals] if rehearsal else []
    named = {want.capability for want in found if want.what}
    told = rehearsal is not None and rehearsal.status in ("passed", "refused", "unfinished")
    for finding in findings:
        if finding.capability is None:
            continue
        if finding.targets:
            found += [Want(finding.capability, _resolved(finding.capability, target)) for target in finding.targets]
        elif finding.capability is READ and told:
            continue
        elif finding.capability is WRITE and (finding.name or "").startswith("tempfile.") and told:
            continue  # new files in the temporary folder are anybody's; elsewhere the rehearsal refused it
        elif finding.capability not in named:
            found.append(Want(finding.capability))
    kept = dict.fromkeys(found)
    return [want for want in kept if not (want.capability is READ and want.what and roots.may_read(want.what))]


def level(rehearsal: Rehearsal | None) -> str:
    """How far a candidate was proved before its run, in the words shown with every answer."""
    if rehearsal is None:
        return "inspected"
    if rehearsal.status == "unavailable":
        return "not tried in the sandbox"
    return "tried in the sandbox"


def _refused(refusal: Refusal) -> Want:
    named = refusal.capability in FILES or refusal.capability is NET
    return Want(refusal.capability, refusal.target if named else refusal.what)


def _resolved(capability: Capability, target: str) -> str:
    if capability in FILES:
        return os.path.realpath(os.path.expanduser(target))
    return host_of(target) if capability is NET else target


def host_of(address: str) -> str:
    """The host in a URL, or the text itself."""
    match = re.match(r"[\w+.-]+://(?:[^/@]*@)?(\[[^\]]*\]|[^/:?#]+)", address)
    return match[1] if match else address


# --- grants -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Grant:
    """`what` is a folder or file; empty means anything of the capability. The sandbox is open to the network and to
    processes or it is not: nothing can hold a run to one host or one command."""

    capability: Capability
    what: str = ""
    this_answer: bool = False

    def covers(self, capability: Capability, what: str) -> bool:
        if capability is not self.capability:
            return False
        return not self.what or (bool(what) and beneath(what, self.what))

    def __str__(self) -> str:
        head = {READ: "read", WRITE: "write"}.get(self.capability, self.capability.value)
        text = f"{head} {self.what or ('files' if self.capability in FILES else '')}".strip()
        return text + (" for this answer" if self.this_answer else "")


class Grants:
    """What one notebook's user allowed. Nothing is kept beyond the kernel's life."""

    def __init__(self, caps: Caps | None = None, roots: Roots | None = None) -> None:
        """`roots`: the files that all code may read; by default those of this moment."""
        self._caps = caps or Caps()
        self.roots = roots or Roots.here()
        self._grants: dict[Grant, None] = {}
        # Files, and folders of modules, that the user's own cells name: reading them needs no yes.
        self.own_files: frozenset[str] = frozenset()

    def allow(self, text: str) -> str:
        """Grant what the words after `%llmos allow` say; returns a sentence. Raises LLMOSError with the forms."""
        grant = _parse(text, "allow")
        self._caps.demand(grant.capability)
        self._grants[grant] = None
        until = "until the next answer ends" if grant.this_answer else "in this notebook, until it is revoked"
        return f"Allowed: {Grant(grant.capability, grant.what)}, {until}."

    def revoke(self, text: str) -> str:
        """Take back what the words after `%llmos revoke` say, or `all`; returns a sentence. Raises LLMOSError."""
        if text.strip().casefold() in ("all", "everything"):
            count = len(self._grants)
            self._grants.clear()
            return f"Revoked: all {count} grants of this notebook." if count else "Nothing was granted."
        wanted = _parse(text, "revoke")
        gone = [grant for grant in self._grants if wanted.covers(grant.capability, grant.what)]
        wider = [g for g in self._grants if g not in gone and g.covers(wanted.capability, wanted.what)]
        if wider:
            raise LLMOSError(
                f"That is part of `{wider[0]}`: revoke the whole of it with `%llmos revoke {_bare(wider[0])}`."
            )
        if not gone:
            raise LLMOSError(f"`{_bare(wanted)}` was not granted: `%llmos allowed` lists what was.")
        for grant in gone:
            del self._grants[grant]
        return "Revoked: " + ", ".join(map(str, gone)) + "."

    def allowed(self) -> list[str]:
        """What code may do outside the namespace without asking, one thing a line."""
        lines = [f"read {self.roots.notebook} (always)", *map(str, self._grants)]
        return lines + self._caps.lines()

    def folders(self, capability: Capability) -> list[str]:
        """The folders and files that grants name for this; `/` where one names none in particular."""
        if not self._caps.permits(capability):
            return []
        return [grant.what or os.sep for grant in self._grants if grant.capability is capability]

    def reading(self) -> Access:
        """What the sandbox may read beyond the roots: the user's own files, and what was granted."""
        if not self._caps.permits(READ):
            return Access()
        return Access(read=(*sorted(self.own_files), *self.folders(READ)))

    def access(self) -> Access:
        """All that was granted, as the sandbox is to be loosened for a run that is not made again."""
        install = self.permits(INSTALL, "")
        return Access(
            read=(*self.reading().read, *(_installers_settings() if install else ())),
            write=(*self.folders(WRITE), *(_installers_folders() if install else ())),
            network=install or self.permits(NET, ""),
            processes=install or self.permits(PROC, ""),
        )

    def missing(self, wants: Iterable[Want]) -> list[Want]:
        """Those wants that nothing grants."""
        return [want for want in wants if not self.permits(want.capability, want.what)]

    def permits(self, capability: Capability, what: str) -> bool:
        """Whether a grant covers this. `what` is a real path, a host or a command; empty if unknown."""
        if not self._caps.permits(capability):
            return False
        if capability is READ and any(beneath(what, path) for path in self.own_files):
            return True
        if capability is READ and what and any(grant.covers(WRITE, what) for grant in self._grants):
            return True  # what may be changed may be read
        return any(grant.covers(capability, what) for grant in self._grants)

    def grant_answer(self, want: Want) -> None:
        """A yes at the question: the folder of a file is granted to the notebook, all else to this answer.

        A file that nobody could name is asked about again by its name, when the sandbox tells it. Raises LLMOSError
        when the administrator's cap forbids it.
        """
        self._caps.demand(want.capability)
        if want.capability not in FILES:
            self._grants[Grant(want.capability, this_answer=True)] = None
        elif want.what:
            self._grants[Grant(want.capability, _same(want.what))] = None

    def end_answer(self) -> None:
        """The answer is over: drop what was granted for it alone."""
        self._grants = {grant: None for grant in self._grants if not grant.this_answer}


def _same(path: str) -> str:
    """The folder a yes to one of its files is for; the file alone where the folder holds more than one project."""
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    home = os.path.realpath(os.path.expanduser("~"))
    temporary = os.path.realpath(tempfile.gettempdir())
    wide = beneath(home, folder) or folder in (temporary, os.path.dirname(folder)) or f"{os.sep}." in folder
    return path if wide else folder


def _installers_folders() -> list[str]:
    """Where pip and the like put packages for this Python, and what they fetch."""
    environment = sys.prefix != sys.base_prefix or os.path.isdir(os.path.join(sys.prefix, "conda-meta"))
    places = [sysconfig.get_path(name) for name in ("purelib", "platlib", "scripts")]
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    found = [sys.prefix] if environment else [*places, site.getuserbase()]
    return [os.path.realpath(path) for path in (*found, *(os.path.join(cache, name) for name in ("pip", "uv")))]


def _installers_settings() -> list[str]:
    """The files that say where pip and uv find packages.
    Source: pip.pypa.io/en/stable/topics/configuration, docs.astral.sh/uv/concepts/configuration-files."""
    settings = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    own = [os.path.join(settings, name) for name in ("pip", "uv")]
    own += [os.path.expanduser("~/.pip"), os.path.expanduser("~/.netrc")]
    named = [os.environ[name] for name in ("PIP_CONFIG_FILE", "UV_CONFIG_FILE") if os.environ.get(name)]
    return [os.path.realpath(path) for path in (*own, *named, "/etc/pip.conf", "/etc/xdg/pip", "/etc/uv")]


def _bare(grant: Grant) -> str:
    return str(Grant(grant.capability, grant.what))


def _parse(text: str, verb: str) -> Grant:
    said = text.strip()
    rest = _FOR_THIS.sub("", f" {said}").strip()
    this_answer = rest != said
    head, _, tail = rest.partition(" ")
    tail = tail.strip()
    if len(tail) > 1 and tail[0] == tail[-1] and tail[0] in "'\"`":
        tail = tail[1:-1]
    match head.casefold():
        case "read" | "write" if tail:
            capability = READ if head.casefold() == "read" else WRITE
            if tail.casefold() == "files":
                return Grant(capability, "", this_answer)
            if "\0" not in tail:
                return Grant(capability, os.path.realpath(os.path.expanduser(tail)), this_answer)
        case "network" if not tail:
            return Grant(NET, "", this_answer)
        case "network" if " " not in tail:
            raise LLMOSError(
                f"Nothing can hold code to one host: `%llmos {verb} network` is for all of them, with "
                "`for this answer` behind it for one answer."
            )
        case "processes" | "process" if not tail:
            return Grant(PROC, "", this_answer)
        case "install" if tail.casefold() in ("", "packages"):
            return Grant(INSTALL, "", this_answer)
    asked = f"`{said}` is not among them" if said else "say what"
    raise LLMOSError(f"Write `%llmos {verb}` and then {FORMS}{', or `all`' if verb == 'revoke' else ''}; {asked}.")
