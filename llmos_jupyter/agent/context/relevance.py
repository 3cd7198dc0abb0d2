"""Which labels a request speaks of: by shared letters alone, in any language and script.

A label is spoken of if it stands in the request, word for word (`outdoor temperature` for `outdoorTemperature`), or if
the two share words that few other labels have; words nearly alike (`prices`, `wieght`) count for as much as they share
of their letters. No word of any language is known here.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

# Characters of a request and of a label that are compared.
REQUEST = 2000
LABEL = 120
# Words that share fewer of their letter triples are different words.
ALIKE = 0.5
# Of the weight of a word that one label alone has, what a label's shared words must weigh.
ENOUGH = 0.3

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORDS = re.compile(r"[^\W\d_]+|\d+")


class Spoken(NamedTuple):
    """A label's place in its list, and how strongly the request speaks of it."""

    position: int
    exact: bool
    score: float


def spoken_of(labels: Sequence[str], request: str) -> list[Spoken]:
    """The labels that the request speaks of, the most clearly named first."""
    asked = words(request[:REQUEST])
    if not asked or not labels:
        return []
    told = [words(label[:LABEL]) for label in labels]
    counts = Counter(word for each in told for word in dict.fromkeys(each))
    weight = {word: math.log((len(labels) + 1) / count) for word, count in counts.items()}
    shared = _shared(list(weight), asked)
    least = ENOUGH * math.log(len(labels) + 1)
    sentence = f" {' '.join(asked)} "
    folded = request.casefold()
    grams = _grams(request[:REQUEST])
    found: list[tuple[tuple[float, ...], Spoken]] = []
    for position, (label, own) in enumerate(zip(labels, told, strict=True)):
        exact = _stands_in(label, own, sentence, folded)
        overlap = sum(weight[word] * shared.get(word, 0.0) for word in dict.fromkeys(own))
        if not exact:
            # A number alone (`top 5`) does not name `sensor_0005`, nor does what all labels have.
            named = [word for word in dict.fromkeys(own) if not word.isdigit() or len(own) == 1]
            if sum(weight[word] * shared.get(word, 0.0) for word in named) < least:
                continue
            overlap *= 0.5 + 0.5 * overlap / sum(weight[word] for word in dict.fromkeys(own))
        # `Price` before `price ` where the request writes `Price`; then the longer of two that stand in it.
        to_the_letter = bool(label.strip()) and label in request
        likeness = _likeness(label, grams)
        order = (-exact, -to_the_letter, -round(overlap, 6), -round(likeness, 6), position)
        found.append((order, Spoken(position, exact, overlap)))
    return [spoken for _, spoken in sorted(found)]


def names_in(names: Sequence[str], request: str) -> list[str]:
    """The names that a request speaks of, where `sales_2023` is not also `sales_2024`: what stands in it word for word
    leaves to others only the words that it does not have."""
    found = spoken_of(names, request)
    asked = frozenset(words(request[:REQUEST]))
    explained = frozenset(word for each in found if each.exact for word in words(names[each.position]))

    def means_another(name: str) -> bool:
        shared = asked.intersection(words(name))
        return not shared or not shared <= explained

    return [names[each.position] for each in found if each.exact or means_another(names[each.position])]


def words(text: str) -> list[str]:
    """The words of a text for comparing: folded, split at every sign, at digits and inside camelCase.

    Of scripts written without spaces every two neighbouring characters are a word, beside the whole.
    """
    if not text.isascii():
        # Accents go, full-width forms become plain; what is composed of several letters (Hangul) is put together again.
        spread = unicodedata.normalize("NFKD", text)
        text = unicodedata.normalize("NFC", "".join(c for c in spread if unicodedata.category(c) != "Mn"))
    found: list[str] = []
    for word in _WORDS.findall(_CAMEL.sub(" ", text)):
        if word.isdecimal():
            found.append(word.lstrip("0") or "0")
        elif word.isascii():
            found.append(word.lower())
        else:
            found += _pieces(word.casefold())
    return found


def _pieces(word: str) -> list[str]:
    if len(word) < 3 or any(unicodedata.category(c) != "Lo" for c in word):
        return [word]
    return [word, *(word[i : i + 2] for i in range(len(word) - 1))]


def _stands_in(label: str, own: list[str], sentence: str, folded: str) -> bool:
    if own:
        if f" {' '.join(own)} " in sentence:
            return True
        # Scripts without spaces have no borders to look for.
        whole = label.casefold().strip()
        return len(whole) > 1 and not whole.isascii() and whole in folded
    sign = label.strip()
    return bool(sign) and sign.casefold() in folded


def _shared(known: list[str], asked: list[str]) -> dict[str, float]:
    """How much of each known word stands in the request, for those of which anything does."""
    exact = frozenset(asked)
    found = {word: 1.0 for word in known if word in exact}
    # A word that stands in some label means that one, and not those that are like it.
    unknown = [word for word in dict.fromkeys(asked) if len(word) > 3 and not word.isdigit() and word not in found]
    if not unknown:
        return found
    triples = [(word, _grams(word)) for word in unknown]
    some = frozenset().union(*(grams for _, grams in triples)) if triples else frozenset()
    for word in known:
        if word in found or len(word) < 4 or word.isdigit():
            continue
        grams = _grams(word)
        if not grams & some:
            continue
        best = max(_alike(word, grams, other, theirs) for other, theirs in triples)
        if best >= ALIKE:
            found[word] = best
    return found


def _alike(one: str, grams: frozenset[str], other: str, theirs: frozenset[str]) -> float:
    if one.startswith(other) or other.startswith(one):  # an ending, or a word cut short: `prices`, `temp`
        return max(ALIKE, min(len(one), len(other)) / max(len(one), len(other)))
    if sorted(one) == sorted(other) and one[0] == other[0]:  # letters that changed places share few triples
        return 0.8
    return 2 * len(grams & theirs) / (len(grams) + len(theirs))


def _likeness(label: str, grams: frozenset[str]) -> float:
    own = _grams(label[:LABEL])
    return len(own & grams) / len(own) if own else 0.0


@lru_cache(maxsize=20_000)
def _grams(text: str) -> frozenset[str]:
    folded = f" {text.casefold()} "
    return frozenset(folded[i : i + 3] for i in range(len(folded) - 2))


def best_score(found: Iterable[Spoken]) -> tuple[bool, float]:
    """How clearly the clearest of some labels is spoken of; `(False, 0.0)` for none."""
    return max(((each.exact, each.score) for each in found), default=(False, 0.0))


__all__ = ["Spoken", "best_score", "names_in", "spoken_of", "words"]
