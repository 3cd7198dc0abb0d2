"""Secrets are masked before text leaves the kernel: for a prompt, a log, the database or a recording.

`mask` knows secrets by their own form (detect-secrets, and forms it does not know), by the name they stand under
(`password = "..."`, `{"api_key": ...}`, `--token ...`, `密码：...`) and by being the value of an environment variable
of such a name. It always gives the same text for the same text and environment, and masking twice is masking once: a
prompt's beginning stays as it was, and so does the engine's cache of it. What it masks in code leaves code that still
parses. It is a guard rail: a secret in no known form under a harmless name is not seen.

Of detect-secrets' detectors, those that know a vendor's prefix are used. Left out, for they would hide data: the
entropy detectors (every git hash and UUID), IP addresses, Artifactory (any word that begins with APA..APF), and the
keyword detector (its substrings take `secretary` and `pass_rate` for secrets), which `secret_names` stands in for.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any, TypeVar

from pydantic import BaseModel

from llmos_jupyter.privacy.known_values import KnownValues, tells, written
from llmos_jupyter.privacy.secret_forms import CARD, DETECTORS, FORMS, PEM
from llmos_jupyter.privacy.secret_names import (
    TYPES,
    SecretName,
    holder_name,
    is_secret,
    looks_like_password,
    looks_random,
    masked,
    secret_name,
)
from llmos_jupyter.privacy.secret_records import mask_records
from llmos_jupyter.privacy.secret_tables import mask_tables
from llmos_jupyter.privacy.wrapped_forms import mask_wrapped


def mask(text: str) -> str:
    """The text with every secret in it replaced by `<masked: kind>`: 3 ms for 4 kB, 0.15 s more at first."""
    for step in (mask_tables, mask_records, _environment, _remembered, mask_wrapped, _forms, _names):
        text = step(text)
    return text


def mask_value(name: str, text: str) -> str:
    """`mask` for the description of one variable: under a secret's name every value goes, types and sizes stay.

    A line of a table's description, `  column: dtype, ...: 'x', 'y'`, is one value under its column's name.
    """
    whole = secret_name(name)
    lines = []
    for line in text.split("\n"):
        labelled = _LABELLED.match(line) or _HEAD.match(line)
        found = whole or (_label_name(labelled[1]) if labelled else None)
        if found:
            start = labelled.end() if labelled else 0
            line = line[:start] + _all_values(line[start:], found)
        lines.append(line)
    return mask("\n".join(lines))


_Model = TypeVar("_Model", bound=BaseModel)


def mask_all(model: _Model) -> _Model:
    """The same record with every text in it masked."""
    return type(model).model_validate(_mask_tree(model.model_dump()))


def _mask_tree(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value) if len(value) > 3 else value
    if isinstance(value, dict):
        return {key: _mask_tree(item) for key, item in value.items()}
    return [_mask_tree(item) for item in value] if isinstance(value, list) else value


class MaskFilter(logging.Filter):
    """Masks what a handler writes, a traceback's text included. Put it on handlers: loggers do not pass theirs on."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = mask(record.exc_text)
        record.msg, record.args = mask(record.getMessage()), None
        return True


# --- values of the environment ------------------------------------------------------------------


def _environment(text: str) -> str:
    for name, value in sorted(os.environ.items(), key=lambda item: -len(item[1])):
        if url := _URL_PASSWORD.match(value):  # DATABASE_URL
            text = _without(text, url[1], "password")
        # The variables of a test run, a service manager and the like hold paths and switches: no secrets.
        if len(value) < 6 or value[0] in "/~" or (found := secret_name(name)) is None:
            continue
        text = _without(text, value, found.kind)
    return text


_URL_PASSWORD = re.compile(r"[a-z][a-z0-9+.-]+://[^\s:/@]*:([^\s]{6,})@[\w\[]")


def _without(text: str, value: str, kind: str) -> str:
    """The text with this value masked, as it is, in a URL and in a string's repr; unless it is too common a text."""
    if not tells(value):
        return text
    for form in sorted(written(value), key=len, reverse=True):
        if form in text:
            edge = r"(?<!\w){}(?!\w)" if len(form) < 12 else "{}"
            text = re.sub(edge.format(re.escape(form)), masked(kind), text)
    return text


# --- values that the notebook's objects say are secrets -------------------------------------------

_known = KnownValues({})


def remember(values: Mapping[str, str]) -> None:
    """From now on mask these values too wherever they stand: text and kind of each. What a notebook has deleted may
    still stand in what it printed."""
    global _known
    _known = _known.with_more(values)


def forget_values() -> None:
    """Mask no value any more for its own sake."""
    global _known
    _known = KnownValues({})


def mask_known(text: str, values: Mapping[str, str]) -> str:
    """The text with these values masked where they stand as words of their own, but for those that stand everywhere."""
    return KnownValues(values).masked(text) if values else text


def _remembered(text: str) -> str:
    return _known.masked(text)


# --- forms that are secrets wherever they stand -------------------------------------------------


@lru_cache(maxsize=1)
def _detectors() -> list[tuple[str, re.Pattern[str], list[re.Pattern[str]]]]:
    """Kind, marker and expressions of each detector. Importing them takes about 0.15 s, so it is done when needed."""
    found = []
    for module, name, kind, marker in DETECTORS:
        detector = getattr(import_module(f"detect_secrets.plugins.{module}"), name)
        found.append((kind, re.compile(marker), list(detector.denylist)))
    return found


def _forms(text: str) -> str:
    if "PRIVATE KEY" in text:
        text = PEM.sub(masked("private key"), text)
    lowered = text.lower()
    for kind, word, expression in FORMS:
        if word in lowered:  # what was masked on the way may only have taken markers away
            text = expression.sub(lambda found, kind=kind: _group(found, kind), text)  # type: ignore[misc]
    text = CARD.sub(lambda found: masked("card number") if _luhn(found[0]) else found[0], text)
    for kind, marker, expressions in _detectors():
        if marker.search(text):
            for expression in expressions:
                # Some of their groups hold a key's prefix only.
                text = expression.sub(lambda found, kind=kind: _group(found, kind, 16), text)  # type: ignore[misc]
    return text


def _group(found: re.Match[str], kind: str, least: int = 1) -> str:
    """The match with its group masked, or all of it if the group is shorter than `least`."""
    which: int | str = 1 if found.re.groups and len(found[1] or "") >= least else 0
    if "secret" in found.re.groupindex:
        which = "secret"
    start, end = found.start(which) - found.start(), found.end(which) - found.start()
    return found[0][:start] + masked(kind) + found[0][end:]


def _luhn(number: str) -> bool:
    """Whether the last digit of a card's number is the right one."""
    digits = [int(digit) for digit in number if digit.isdigit()][::-1]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


# --- values under a secret's name ---------------------------------------------------------------

_QUOTED = (
    r"'''(?:\\.|(?!''')[^\\]){0,4000}'''|\"\"\"(?:\\.|(?!\"\"\")[^\\]){0,4000}\"\"\""
    r"|'(?:\\.|[^'\\\n]){0,4000}'|\"(?:\\.|[^\"\\\n]){0,4000}\""
)
_LITERAL = re.compile(f"(?P<prefix>\\b[rbfuRBFU]{{1,2}})?(?P<quoted>{_QUOTED})")
_TRIGGER = (
    "pass|pwd|pw|psk|secret|token|key|cred|auth|cookie|jwt|bearer|session|wort|senha|contras|парол|パス|비밀|[密口令私凭]"
    "|pin|log_?[io]n|signin|clave|parola|woord|has[lł]o|heslo|s[oö]senord|salasana"
)
_NAMED = re.compile(
    rf"(?<![\w-])(?P<name>(?=[\w-]{{0,64}}?(?i:{_TRIGGER}))[\w-]{{2,64}})"
    r"(?P<sep>['\"]?\]?[ \t]*(?::[ \t]*[A-Za-z_][\w.\[\], |]{0,40}?[ \t]*=(?=[ \t]*[^\s=])|:=|[=!]=|=>|[:=：])[ \t]*"
    r"|[ \t]+is[ \t]+|[ \t]+(?=[^\s=:'\"-]))"
    rf"(?:(?P<prefix>[rbfuRBFU]{{0,2}})(?P<quoted>{_QUOTED})"
    r"|(?P<open>[\[({])(?P<inside>[^\[\](){}]{0,4000})[\])}]"
    r"|(?P<bare>[^\s'\"<>{}()\[\],;&]+)(?P<after>(?=[ \t]*(?:\n|\Z))|.?))"
)
_REVERSED = re.compile(rf"(?P<quoted>{_QUOTED})(?P<sep>[ \t]*[=!]=[ \t]*)(?P<name>[\w.]{{2,64}})")
# A key of several words, and the repr of a pandas Index.
_SPACED = re.compile(
    rf"(?P<key>(['\"])(?P<name>[A-Za-z][\w-]*(?: [\w-]+){{1,2}})\2\s*:\s*)"
    rf"(?:(?P<quoted>{_QUOTED})|(?P<inside>[\[{{(][^\[\](){{}}]{{0,4000}}[\])}}]))"
)
_INDEX = re.compile(r"\bIndex\((?P<values>\[[^\]]{0,4000}\]),(?P<rest>[^()]{0,80}name='(?P<name>[^'\n]+)')")
_UNPACKED = re.compile(
    rf"(?m)^([ \t]*(?:[\w.]+[ \t]*,[ \t]*)+[\w.]+)([ \t]*=[ \t]*)((?:{_QUOTED})[ \t]*,[^\n]{{0,2000}})$"
)
# The line of a column, and the head of a description, which names a Series after its variable.
_LABELLED = re.compile(r"  (\([^()\n]*\)|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|\w+): ")
_HEAD = re.compile(r"\w+: (?:polars )?Series ('(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|\w+), ")


def _names(text: str) -> str:
    parts, start = [], 0
    while found := _NAMED.search(text, start):
        secret = holder_name(found["name"])
        # What stands after a harmless name may be the next secret's.
        end = found.end() if secret else found.end("name")
        parts += [text[start : found.start()], _named(found, secret) if secret else found["name"]]
        start = end
    text = _REVERSED.sub(_named_behind, "".join([*parts, text[start:]]))
    text = _SPACED.sub(_named_in_words, text)
    if "name=" in text:
        text = _INDEX.sub(_named_index, text)
    return _UNPACKED.sub(_unpacked, text)


def _unpacked(found: re.Match[str]) -> str:
    """`user, password = "ann", "..."`: nothing says which is which without reading the code, so all go."""
    secrets = [secret for name in re.findall(r"\w+", found[1]) if (secret := secret_name(name))]
    return found[1] + found[2] + _all_literals(found[3], secrets[0]) if secrets else found[0]


def _named(found: re.Match[str], secret: SecretName) -> str:
    """Name and value, the value masked if it is one."""
    name, sep = found["name"], found["sep"]
    before = name + sep
    if found["quoted"]:
        literal = found["quoted"]
        if sep.isspace() or (sep.strip() == "is" and secret.sure == "weak"):
            return found[0]
        return before + found["prefix"] + _masked_literal(literal, secret, found["prefix"])
    if found["open"]:
        if not sep.strip() or sep.strip() == "is":
            return found[0]
        inside = found["inside"]
        if secret.sure == "digits":
            inside = re.sub(r"(?<![\w.'\"-])\d{4,12}(?![\w.'\"])", f'"{masked(secret.kind)}"', inside)
        return found[0][: len(before) + 1] + _all_literals(inside, secret) + found[0][-1]
    bare = found["bare"]
    return before + _masked_bare(name, sep, bare, found["after"], secret) + found["after"]


def _named_behind(found: re.Match[str]) -> str:
    secret = secret_name(found["name"].rpartition(".")[2])
    return _masked_literal(found["quoted"], secret) + found["sep"] + found["name"] if secret else found[0]


def _named_in_words(found: re.Match[str]) -> str:
    secret = secret_name(found["name"])
    if secret is None:
        return found[0]
    value = found["quoted"]
    return found["key"] + (_masked_literal(value, secret) if value else _all_literals(found["inside"], secret))


def _named_index(found: re.Match[str]) -> str:
    secret = secret_name(found["name"])
    values = _all_literals(found["values"], secret) if secret else found["values"]
    return f"Index({values},{found['rest']}"


def _masked_literal(literal: str, secret: SecretName, prefix: str = "") -> str:
    quotes = literal[:3] if literal[:3] in ("'''", '"""') else literal[:1]
    body = literal[len(quotes) : -len(quotes)]
    if "f" in prefix.lower() and len(re.sub(r"\{[^{}]*\}", "", body)) < 4:
        return literal
    return quotes + masked(secret.kind) + quotes if is_secret(body, secret) else literal


def _masked_bare(name: str, sep: str, bare: str, after: str, secret: SecretName) -> str:
    """A value without quotes: of a `.env` file, YAML, a command line, prose; or it is code, which stays."""
    if after in ("(", "[", "{") or bare.lower().rstrip(".,:") in TYPES or secret_name(bare) is not None:
        return bare
    if secret.sure == "shaped" and not (sep.strip() and is_secret(bare, secret)):
        return bare
    word, tail = (bare[:-1], bare[-1]) if bare[-1] in ".?!:" and len(bare) > 1 else (bare, "")
    random = looks_random(word) or (secret.sure == "strong" and len(word) >= 4 and bool(re.search(r"[^\w.]", word)))
    joint = sep.strip()
    if word.replace("_", "").isdigit():
        number = secret.sure == "strong" and secret.kind == "password" and len(word) >= 4 and joint not in ("", ":")
        number = number or (secret.sure == "digits" and is_secret(word, secret) and joint not in ("", "is"))
        return f'"{masked(secret.kind)}"' if number else bare
    if secret.sure == "digits":
        return bare
    if after in ("'", '"'):  # the end of a string, as in `connect("host=h password=...")`, or the next one's beginning
        ends = random and joint in ("=", ":") and not sep.startswith(("'", '"'))
        return masked(secret.kind) if ends else bare
    if joint == "=" and secret.sure == "strong" and after in (",", ")", "") and _is_no_variable(word):
        return f'"{masked(secret.kind)}"'  # the repr of an object, or code
    if re.match(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$", word) and not (name.isupper() and not sep.isspace()):
        return bare  # settings.password, os.environ
    if not joint:  # `--token abc123`; two words of prose otherwise
        return masked(secret.kind) + tail if name.startswith("--") and random else bare
    if joint == "=" and len(word) >= 20 and looks_like_password(word):
        return f'"{masked(secret.kind)}"{tail}'
    if joint == "=" and sep == "=" and after not in (",", ")"):
        plain_word = word.isidentifier() and not random
        shell = name.upper() == name or name.startswith("--") or after in (";", "&") or secret.sure == "strong"
        return masked(secret.kind) if shell and (secret.sure == "strong" or not plain_word) else bare
    if word.isidentifier() and joint not in (":", "：", "is"):
        return bare  # password = other_name
    if joint in (":", "：") and secret.sure == "strong" and after == "" and word.islower() and len(word) >= 5:
        return masked(secret.kind) + tail
    return masked(secret.kind) + tail if random and joint in (":", "：", "=", "is", ":=") else bare


def _is_no_variable(word: str) -> bool:
    """Whether a word mixes letters and digits as no name of a variable does: `Pa55w0rd`, not `pw2`, `sha256_hex`."""
    mixed = re.search(r"[A-Za-z]\d+[A-Za-z]", word) and len(word) >= 6
    usual = re.fullmatch(r"(?:[a-z]+_)*(?:sha|md|base|utf|b|x|v|int|float)\d+\w*|[A-Z_\d]+|\w+\.\w+.*", word)
    return bool(mixed) and not usual


def _all_literals(text: str, secret: SecretName) -> str:
    """Every string in a list or a dictionary under a secret's name, but not the dictionary's keys."""

    def one(found: re.Match[str]) -> str:
        if re.match(r"\s*:(?!=)", text[found.end() :]):
            return found[0]
        return (found["prefix"] or "") + _masked_literal(found["quoted"], secret)

    return _LITERAL.sub(one, text)


def _all_values(text: str, secret: SecretName) -> str:
    """A description under a secret's name without the values it shows."""
    text = _all_literals(text, secret)
    if secret.sure in ("weak", "shaped"):
        return text
    if secret.sure == "digits":
        return re.sub(r"(?<![\w.])\d{4,12}(?![\w.])(?! (?:rows|characters|distinct|items|about))", masked("PIN"), text)
    # What stands behind the facts: `int 8523`, `int64, 1234 .. 9876`; sizes (`8 characters`, `3 rows`) tell nothing.
    text = re.sub(r"(?<![\w.])-?[\d.]+(?:e[+-]?\d+)? \.\. -?[\d.]+(?:e[+-]?\d+)?", masked(secret.kind), text)
    text = re.sub(r"\b(int|float|bytes|Decimal) (?=[-\d])[^\s,;]+", lambda m: f"{m[1]} {masked(secret.kind)}", text)
    # `only 12, 345`, `{'pin': 1234}`, `day first: 28/04/2025`.
    text = re.sub(
        r"(\bonly |': |\b(?:day|month) first: )-?\d[\d./-]*(?:, -?\d+)*", lambda m: m[1] + masked(secret.kind), text
    )
    return re.sub(r"(: [\[({])([^\])}<'\"]*\d[^\])}'\"]*)", lambda m: m[1] + masked(secret.kind), text)


def _label_name(label: str) -> SecretName | None:
    """The secret's name in a column's label, which may be a tuple of names."""
    for part in re.findall(r"[\w -]+", label):
        if found := secret_name(part.strip()):
            return found
    return None
