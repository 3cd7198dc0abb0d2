"""Ways of writing what notebooks often need, shown to the model beside a request that sounds like one of them.

A small model knows the words of pandas better than its ways: shown the line for "best row of each group", it adapts it.
The lines stand in idioms.txt: after `#` in which words people ask for it, below it the code.
"""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from itertools import islice
from typing import Any

from llmos_jupyter.agent.describe_basics import class_name
from llmos_jupyter.agent.slots import filled

# Of the words of an idiom's phrase, weighted by how rare they are, what must stand in the request.
LIKE = 0.75
_TABLE = re.compile(r"\b(?:table|left\.merge|left\[)")
_ARRAY = re.compile(r"\b(?:np\.|matrix\.|matrix\[|values\[)")
SHOWN = 2


@dataclass(frozen=True)
class Idiom:
    title: str
    phrases: tuple[frozenset[str], ...]
    code: str


def idioms_for(request: str, variables: Mapping[str, Any]) -> list[Idiom]:
    """The idioms whose words the request uses, the likest first, in the notebook's own names; those of tables and
    arrays where there are such."""
    listed, weight = _idioms()
    kinds = {class_name(type(value)) for value in variables.values()}
    table = bool(kinds & {"DataFrame", "Series", "LazyFrame"})
    listed = [
        idiom
        for idiom in listed
        if (table or not _TABLE.search(idiom.code)) and (table or "ndarray" in kinds or not _ARRAY.search(idiom.code))
    ]
    words = _words(request)

    def likeness(phrase: frozenset[str]) -> float:
        return sum(weight[word] for word in phrase & words) / sum(weight[word] for word in phrase)

    scored = []
    for idiom in listed:
        best = max(idiom.phrases, key=lambda phrase: (likeness(phrase) >= LIKE, sum(weight[w] for w in phrase & words)))
        if likeness(best) >= LIKE:
            scored.append((sum(weight[word] for word in best & words), idiom))
    scored.sort(key=lambda pair: -pair[0])
    fitted = (replace(idiom, code=filled(idiom.code, request, variables)) for _, idiom in scored)
    return list(islice((idiom for idiom in fitted if idiom.code), SHOWN))


# Texts that say how something is done, and not what the user wants.
_MANNERS = frozenset(["sum", "count", "mean", "min", "max", "valid", "last", "M", "W", "", " ", ",", ";", "="])


def usable_as_it_is(idiom: Idiom, request: str, labels: Collection[str]) -> bool:
    """Whether every number and text in a filled idiom is a column's label, stands in the request, or says only how."""
    constants = [node.value for node in ast.walk(ast.parse(idiom.code)) if isinstance(node, ast.Constant)]
    return all(_is_meant(value, request, labels) for value in constants)


def _is_meant(value: object, request: str, labels: Collection[str]) -> bool:
    if isinstance(value, str):
        pattern = re.search(r"[\\\[]", value) is not None and "word" not in value
        return value in labels or value in _MANNERS or value in request or pattern
    if isinstance(value, (int, float)) and type(value) is not bool and value not in (0, 1, 100):
        return re.search(rf"(?<![\w.]){value:g}(?!\w)", request) is not None
    return True


@lru_cache(maxsize=1)
def _idioms() -> tuple[list[Idiom], dict[str, float]]:
    found: list[Idiom] = []
    text = files("llmos_jupyter.agent").joinpath("idioms.txt").read_text(encoding="utf-8")
    for block in text.strip().split("\n\n"):
        head, _, code = block.partition("\n")
        phrases = [phrase.strip() for phrase in head.removeprefix("# ").split("|")]
        found.append(Idiom(phrases[0], tuple(_words(phrase) for phrase in phrases), code))
    seen = Counter(word for idiom in found for word in frozenset().union(*idiom.phrases))
    return found, {word: math.log(1 + len(found) / count) for word, count in seen.items()}


# Words that say nothing of what is wanted.
_EMPTY = frozenset(
    ["a", "an", "the", "of", "in", "on", "at", "to", "for", "and", "or", "is", "are", "be", "it", "its", "this",
     "that", "these", "those", "with", "by", "from", "as", "i", "me", "my", "we", "you", "please", "show", "give",
     "tell", "find", "get", "make", "do", "does", "what", "which", "who", "how", "there", "have", "has", "had", "can",
     "could", "would", "should", "all", "only", "into", "than", "one", "的", "是", "了", "个", "里", "中", "在", "和",
     "有",
     "value", "group", "column", "table", "array", "category", "组", "列", "值"]
)  # fmt: skip


def _words(text: str) -> frozenset[str]:
    """Words without the plural's ending; of Chinese, every character."""
    low = text.lower().replace("e-mail", "email")
    words = {_stem(word) for word in re.findall(r"[a-z]+(?:-[a-z]+)*", low)} - _EMPTY
    return frozenset([*words, *re.findall(r"[\u4e00-\u9fff]", low)]) - _EMPTY or frozenset([low.strip()])


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
