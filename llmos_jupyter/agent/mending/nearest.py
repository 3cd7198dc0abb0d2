"""The real names nearest to one that does not exist."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

# difflib costs about 10 microseconds a name; beyond this many only the plausible ones are compared.
_COMPARED = 400


def plain(name: str) -> str:
    """A name without case, spaces and punctuation: what people and models get wrong first."""
    return re.sub(r"[\W_]+", "", name).lower()


def nearest(name: str, candidates: Iterable[str], count: int = 3) -> list[str]:
    """At most `count` of the candidates, the nearest first: the same letters in another spelling, then
    few letters off, then one a part of the other."""
    names = list(dict.fromkeys(c for c in candidates if c != name))
    wanted = plain(name)
    if not wanted:
        return []
    forms = [(c, plain(c)) for c in names]
    same = [c for c, form in forms if form == wanted]
    pool = forms
    if len(forms) > _COMPARED:
        pool = [(c, form) for c, form in forms if form[:1] == wanted[:1] and abs(len(form) - len(wanted)) <= 2]
        pool = pool[:_COMPARED]
    by_form: dict[str, list[str]] = {}
    for c, form in pool:
        by_form.setdefault(form, []).append(c)
    # get_close_matches breaks ties from behind; the order of the table is what the user knows.
    ranked = difflib.get_close_matches(wanted, by_form, 6, 0.7)
    order = {form: i for i, form in enumerate(by_form)}
    ranked.sort(key=lambda form: (-difflib.SequenceMatcher(None, form, wanted).ratio(), order[form]))
    close = [c for form in ranked for c in by_form[form]]
    part = [c for c, form in forms if _part(form, wanted) or _part(wanted, form)]
    part.sort(key=lambda c: abs(len(c) - len(name)))
    return list(dict.fromkeys([*same, *close, *part]))[:count]


def closeness(name: str, found: list[str]) -> float:
    """How near the nearest is, 0 to 1."""
    return difflib.SequenceMatcher(None, plain(name), plain(found[0])).ratio() if found else 0.0


def did_you_mean(found: list[str]) -> str:
    return f" (did you mean {found[0]!r}?)" if found else ""


def shortened(labels: Iterable[object], limit: int = 12) -> str:
    """A list for a sentence: the first few, and how many there are in all."""
    every = list(labels)
    text = ", ".join(repr(label)[:40] for label in every[:limit])
    return f"{text} and {len(every) - limit} more" if len(every) > limit else text


def _part(short: str, whole: str) -> bool:
    """Whether one name is the beginning, the end or most of another."""
    if len(short) < 3 or short not in whole:
        return False
    return whole.startswith(short) or whole.endswith(short) or 2 * len(short) >= len(whole)
