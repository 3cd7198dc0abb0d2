"""Values that are known to be secrets, because an object of the notebook's says so, found wherever a text has them.

However they were printed: as they are, escaped (a string's repr, JSON, HTML, CSV, a URL), wrapped over several lines,
or cut to a piece. A value that may stand anywhere by chance (`sunshine`, `4821`) is masked in company only: in a list
or a run of lines that hold nothing but known values.
"""

from __future__ import annotations

import html
import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from urllib.parse import quote

from llmos_jupyter.privacy.secret_names import looks_random, masked

# Values that are remembered; of more, the newest.
MOST_KNOWN = 20_000
# Characters of a piece of a value that is taken for it, and of a value that is long enough to have such pieces.
PIECE = 8
LONG = 12
# Values that are looked for in pieces.
MOST_LONG = 1_000
# Values that begin as a line ends, which are tried at the next line.
_TRIED = 50
# So many known values in a row are no chance.
_COMPANY = 3

_APART = re.compile(r"(?:\\[nrt]|[\s'\"<>|,;:=()\[\]{}│┆])+")
_WORDS = re.compile(r"\w+")
_TOKEN = re.compile(r"[^\s'\"<>|,;:=()\[\]{}│┆]+")
_BETWEEN_TOKENS = re.compile(r"[\s'\",;│┆|]*")
_ENDS = ".,?!…"
# Where a printer breaks a long word: perhaps between quotes, and in the repr of a string.
BREAK = re.compile(r"['\"]?[ \t]*(?:\\?\r?\n|\\n)[ \t]*['\"]?")
_LAST_WORD = re.compile(r"[^\s'\"<>|,;:=()\[\]{}│┆]{3,}$")


def tells(value: str) -> bool:
    """Whether a secret is looked for wherever it stands: short numbers and words (`postgres`) stand everywhere."""
    if len(value) < 6:
        return len(value) == 5 and not value.isalnum()
    return not (value.isdigit() and len(value) < 8) and not (value.isalpha() and len(value) < 10)


def written(value: str) -> set[str]:
    """The value as printers write it."""
    if value.isascii() and value.isalnum():
        return {value}
    as_json = json.dumps(value)[1:-1]
    return {
        value, repr(value)[1:-1], as_json, as_json.replace("/", "\\/"), json.dumps(value, ensure_ascii=False)[1:-1],
        html.escape(value), html.escape(value, quote=False), value.replace('"', '""'), quote(value),
        quote(value, safe=""),
    }  # fmt: skip


class KnownValues:
    """Values by their text, with the kind of each."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)
        telling = {value: kind for value, kind in self._values.items() if tells(value)}
        # Those that are one word are looked up, the others searched for.
        forms = {form: kind for value, kind in telling.items() for form in written(value)}
        self._words = {form: kind for form, kind in forms.items() if not _APART.search(form)}
        self._phrases = {form: kind for form, kind in forms.items() if form not in self._words}
        self._quiet = len(telling) < len(self._values)

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(value for value in self._values if tells(value) and len(value) >= PIECE)

    @cached_property
    def _long(self) -> list[str]:
        long = (value for value in self._values if len(value) >= LONG and " " not in value and looks_random(value))
        return list(islice(long, MOST_LONG))

    @cached_property
    def _pieces(self) -> set[str]:
        return {value[i : i + PIECE] for value in self._long for i in range(min(len(value), 200) - PIECE + 1)}

    @cached_property
    def _joined(self) -> str:
        return "\n".join(self._long)

    def with_more(self, values: Mapping[str, str]) -> KnownValues:
        """These values too; the same object if they are known already."""
        new = {value: kind for value, kind in values.items() if value not in self._values}
        if not new:
            return self
        every = {**self._values, **new}
        return KnownValues(dict(list(every.items())[-MOST_KNOWN:]))

    def masked(self, text: str) -> str:
        """The text without these values."""
        if not self._values:
            return text
        if self._sorted and ("\n" in text or "\\n" in text):
            text = self._without_wrapped(text)
        if self._quiet:
            text = self._without_company(text)
        found = {phrase: kind for phrase, kind in self._phrases.items() if phrase in text}
        if self._words:
            apart = set(_APART.split(text))
            apart |= {word.rstrip(_ENDS) for word in apart} | set(_WORDS.findall(text))
            found |= {word: self._words[word] for word in self._words.keys() & apart}
            found |= dict.fromkeys(self._pieces_in(apart), "secret")
        for value, kind in sorted(found.items(), key=lambda item: -len(item[0])):
            # In a string's repr the end of a line before it is a letter.
            text = re.sub(rf"(?:(?<!\w)|(?<=\\[nrt])){re.escape(value)}(?!\w)", masked(kind), text)
        return text

    def _pieces_in(self, words: Iterable[str]) -> Iterator[str]:
        """Pieces of long values, which a printer cut or wrapped: those that mix letters and digits."""
        for word in words:
            bare = word.strip(_ENDS)
            if bare[:PIECE] in self._pieces and bare not in self._words and bare in self._joined and looks_random(bare):
                yield bare

    def _without_wrapped(self, text: str) -> str:
        """The text without the values that go on in the next line."""
        parts, start = [], 0
        for at in BREAK.finditer(text):
            line = max(text.rfind("\n", 0, at.start()), at.start() - 200) + 1
            last = _LAST_WORD.search(text, max(line, start), at.start())
            if last is None:
                continue
            end, value = self._wrapped_end(text, last[0], at.start())
            if end:
                parts += [text[start : last.start()], masked(self._values[value])]
                start = end
        return "".join([*parts, text[start:]])

    def _wrapped_end(self, text: str, head: str, place: int) -> tuple[int, str]:
        """Where a value ends that begins with `head` before a break at `place`; 0 if there is none."""
        first = bisect_left(self._sorted, head)
        for value in self._sorted[first : first + _TRIED]:
            if not value.startswith(head) or value == head:
                continue
            done, at = len(head), place
            while done < len(value) and (gap := BREAK.match(text, at)):
                at = gap.end()
                same = _common(value, done, text, at)
                if not same:
                    break
                done, at = done + same, at + same
            if done == len(value) and not text[at : at + 1].isalnum():
                return at, value
        return 0, ""

    def _without_company(self, text: str) -> str:
        """The text without lists and runs of nothing but known values, common words among them."""
        parts, start = [], 0
        for run in self._runs(text):
            kinds = [self._values[token[0].strip(_ENDS)] for token in run]
            for token, kind in zip(run, kinds, strict=True):
                parts += [text[start : token.start()], masked(kind)]
                start = token.end()
        return "".join([*parts, text[start:]])

    def _runs(self, text: str) -> Iterator[list[re.Match[str]]]:
        run: list[re.Match[str]] = []
        for token in _TOKEN.finditer(text):
            known = token[0].strip(_ENDS) in self._values
            if run and not (known and _BETWEEN_TOKENS.fullmatch(text, run[-1].end(), token.start())):
                if _is_company(text, run):
                    yield run
                run = []
            if known:
                run.append(token)
        if run and _is_company(text, run):
            yield run


def _is_company(text: str, run: list[re.Match[str]]) -> bool:
    """Whether known values stand together by no chance: three different ones, or a bracketed list of two."""
    different = len({token[0] for token in run})
    if different >= _COMPANY:
        return True
    before, after = text[: run[0].start()].rstrip(" '\"\n"), text[run[-1].end() :].lstrip(" '\",\n")
    return different == 2 and before[-1:] in ("[", "(", "{") and after[:1] in ("]", ")", "}")


def _common(value: str, done: int, text: str, at: int) -> int:
    """How many characters of the value, from `done` on, stand at this place of the text."""
    most = min(len(value) - done, len(text) - at)
    return next((i for i in range(most) if value[done + i] != text[at + i]), most)
