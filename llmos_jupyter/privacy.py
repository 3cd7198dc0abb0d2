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
from functools import lru_cache
from importlib import import_module
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic import BaseModel

from llmos_jupyter.secret_names import SecretName, secret_name


def mask(text: str) -> str:
    """The text with every secret in it replaced by `<masked: kind>`: 3 ms for 4 kB, and 0.15 s once."""
    for masked in (_printed_tables, _environment, _forms, _names):
        text = masked(text)
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


def masked(kind: str) -> str:
    """What stands where a secret stood."""
    return f"<masked: {kind}>"


# --- values of the environment ------------------------------------------------------------------


def _environment(text: str) -> str:
    for name, value in sorted(os.environ.items(), key=lambda item: -len(item[1])):
        # The variables of a test run, a service manager and the like hold paths and switches: no secrets.
        if len(value) < 6 or value[0] in "/~" or (found := secret_name(name)) is None:
            continue
        if value.isdigit() and len(value) < 8:
            continue
        if value.isalpha() and len(value) < 10:  # `postgres`: a word that stands everywhere
            continue
        for form in {value, quote(value, safe=""), repr(value)[1:-1]}:
            if form in text:
                edge = r"(?<!\w){}(?!\w)" if len(form) < 12 else "{}"
                text = re.sub(edge.format(re.escape(form)), masked(found.kind), text)
    return text


# --- forms that are secrets wherever they stand -------------------------------------------------

# detect-secrets' detectors: module, class, what to call it, and characters without which none of its expressions
# matches (some would take quadratic time over a long line).
_DETECTORS = (
    ("aws", "AWSKeyDetector", "AWS key", r"A3T|A(?:BI|CC|KI|SI)A|(?i:aws)"),
    ("azure_storage_key", "AzureStorageKeyDetector", "Azure key", "AccountKey="),
    ("discord", "DiscordBotTokenDetector", "Discord token", r"[MNO][\w-]{23,25}\.[\w-]{6}\."),
    ("github_token", "GitHubTokenDetector", "GitHub token", "gh[pousr]_"),
    ("gitlab_token", "GitLabTokenDetector", "GitLab token", "gl[a-z]{2,6}-|GR1348941"),
    ("mailchimp", "MailchimpDetector", "Mailchimp key", r"-us\d"),
    ("openai", "OpenAIDetector", "OpenAI key", "T3BlbkFJ"),
    ("pypi_token", "PypiTokenDetector", "PyPI token", "pypi-AgE"),
    ("sendgrid", "SendGridDetector", "SendGrid key", r"SG\."),
    ("slack", "SlackDetector", "Slack token", r"(?i:xox|hooks\.slack)"),
    ("square_oauth", "SquareOAuthDetector", "Square secret", "sq0csp-"),
    ("stripe", "StripeDetector", "Stripe key", "[rs]k_live_"),
    ("telegram_token", "TelegramBotTokenDetector", "Telegram token", r"\d{8}:[\w-]{35}"),
    ("twilio", "TwilioKeyDetector", "Twilio key", "AC[a-z0-9]{32}|SK[a-z0-9]{32}"),
)

_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:(?!-----)[^\0]){0,20000}-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
    r"|(?:(?:\s|\\[nr])*[A-Za-z0-9+/=]{16,})*)"
)
# Forms that detect-secrets 1.5 does not know; the group, or all of it, is the secret.
_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(expression))
    for kind, expression in (
        ("password", r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@'\"<>]{0,100}:"
                     r"(?!\{[^{}]*\}@|<masked|\*+@|%s@|\$\{?\w+\}?@)([^\s'\"/?#]{1,200})@(?=[\w\[{.%-])"),
        ("token", r"\b(?:https?|git)://([A-Za-z0-9_-]{20,})@(?=\w)"),
        ("JWT", r"(?<![\w-])eyJ[\w=-]{8,}\.[\w=-]{4,}\.?[\w.+/=-]*"),
        ("GitHub token", r"\bgithub_pat_\w{20,}"),
        ("Slack token", r"\bx(?:ox[a-z]|app)-[\w-]{10,}"),
        ("webhook", r"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/(\d+/[\w-]{20,})"),
        ("Google key", r"\bAIza[\w-]{35}"),
        ("Google token", r"\bya29\.[\w-]{20,}|\bGOCSPX-[\w-]{20,}"),
        ("Hugging Face token", r"\b(?:hf|api_org)_[A-Za-z0-9]{30,}"),
        ("API key", r"\bsk-(?:proj|svcacct|admin|ant|or|lf)-[\w-]{20,}|\bsk-[A-Za-z0-9]{32,}\b|\bgsk_\w{20,}"),
        ("Stripe key", r"\b[rs]k_(?:test|live)_\w{16,}|\bwhsec_\w{20,}"),
        ("npm token", r"\bnpm_[A-Za-z0-9]{36}|:_authToken=(?!<|\$)([^\s]+)"),
        ("DigitalOcean token", r"\bdo[opr]_v1_[a-f0-9]{64}"),
        ("Databricks token", r"\bdapi[a-f0-9]{32}"),
        ("Shopify token", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
        ("signature", r"[?&](?:sig|X-Amz-Signature)=([\w%+/=-]{20,})"),
        ("token", r"\b[Bb]earer\s+(?=[\w.~+/-]*\d|[\w.~+/-]{24})([\w.~+/-]{6,}=*)"),
        ("credential", r"(?i:\bauthorization\b['\"]?\s*[:=]\s*['\"]?(?:basic|digest|token|apikey|negotiate)\s+)"
                       r"([\w.~+/=-]{6,})"),
        ("cookie", r"(?i:\b(?:set-)?cookie)['\"]?\s*:\s*['\"]?(?!<masked)([\w.-]+=[^'\"\n]{4,})"),
        ("password", r"(?:密码|口令|パスワード|비밀번호)(?:\s*(?:是|为|は|:|：|=)\s*)['\"“「]?(?!<masked)"
                     r"([\x21\x23-\x26\x28-\x2b\x2d-\x3a\x3c-\x7e]{3,})"),
        ("token", r"(?:令牌|密钥|私钥)(?:\s*(?:是|为|:|：|=)\s*)['\"“]?(?!<masked)"
                  r"([\x21\x23-\x26\x28-\x2b\x2d-\x3a\x3c-\x7e]{6,})"),
        ("password", r"\b(?i:my|the|our|with|use) (?i:password|passphrase|passcode|pwd)(?: is|:)? "
                     r"(?=\S*[\d!@#$%^&*])(?![<'\"])([^\s'\",;]{4,}[^\s'\",;.?])"),
        ("password", r"\bmy (?:password|passphrase) is (?!(?:not|no|too|a|the|in|on|set|still|wrong|missing|required|"
                     r"invalid|incorrect|empty|stored|expired|weak|correct|never|being|what|also|very)\b)([a-z]{5,})\b"),
        ("password", r"(?:\b(?:HTTPBasicAuth|auth\s*=\s*|auth=)|\.login)\(\s*(?:'[^'\n]*'|\"[^\"\n]*\"|[\w.@]+)\s*,\s*"
                     r"['\"](?!<masked)([^'\"\n]+)['\"]"),
        ("secret", r"(?:setdefault|setenv|putenv|getenv|environ\.get)\(\s*['\"]\w*"
                   r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PWD)\w*['\"]\s*,\s*['\"](?!<masked)([^'\"\n]+)['\"]"),
        ("password", r"\bcurl\b[^\n|]{0,200}? (?:-u|--user)[ =]['\"]?[\w.@-]+:"
                     r"(?!<masked|\$|\{)([^\s'\"]+)"),
        ("API key", r"\b(?i:api key|access key|secret key|access token|api token) (?=[\w-]*\d)(?=[\w-]*[A-Za-z])"
                    r"([\w-]{8,})"),
        ("password", r"(?:密码|口令|令牌|密钥) (?=[\x21-\x7e]*\d)(?=[\x21-\x7e]*[A-Za-z])([\w!@#$%^&*.-]{5,})"),
        ("secret", r"\bSecretStr\(\s*['\"](?!<masked)([^'\"\n]+)['\"]"),
    )
)  # fmt: skip
_CARD = re.compile(r"(?<![\d-])(?:4\d{3}|5[1-5]\d\d|6011|2[2-7]\d\d)([ -])\d{4}\1\d{4}\1\d{4}(?![\d-])")


@lru_cache(maxsize=1)
def _detectors() -> list[tuple[str, re.Pattern[str], list[re.Pattern[str]]]]:
    """Kind, marker and expressions of each detector. Importing them takes about 0.15 s, so it is done when needed."""
    found = []
    for module, name, kind, marker in _DETECTORS:
        detector = getattr(import_module(f"detect_secrets.plugins.{module}"), name)
        found.append((kind, re.compile(marker), list(detector.denylist)))
    return found


def _forms(text: str) -> str:
    if "PRIVATE KEY" in text:
        text = _PEM.sub(masked("private key"), text)
    for kind, expression in _FORMS:
        text = expression.sub(lambda found, kind=kind: _group(found, kind), text)  # type: ignore[misc]
    text = _CARD.sub(lambda found: masked("card number") if _luhn(found[0]) else found[0], text)
    for kind, marker, expressions in _detectors():
        if marker.search(text):
            for expression in expressions:
                # Some of their groups hold a key's prefix only.
                text = expression.sub(lambda found, kind=kind: _group(found, kind, 16), text)  # type: ignore[misc]
    return text


def _group(found: re.Match[str], kind: str, least: int = 1) -> str:
    """The match with its group masked, or all of it if the group is shorter than `least`."""
    which = 1 if found.re.groups and len(found[1] or "") >= least else 0
    start, end = found.start(which) - found.start(), found.end(which) - found.start()
    return found[0][:start] + masked(kind) + found[0][end:]


def _luhn(number: str) -> bool:
    """Whether the last digit of a card's number is the right one."""
    digits = [int(digit) for digit in number if digit.isdigit()][::-1]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


# --- values under a secret's name ---------------------------------------------------------------

_TYPES = frozenset([
    "str", "int", "float", "bool", "bytes", "object", "none", "true", "false", "null", "nan", "optional", "string",
    "strings", "category", "list", "dict", "tuple", "set", "series", "dataframe", "any", "function", "class",
    "lambda", "not", "self", "input", "getpass", "text", "varchar", "number", "numbers", "int64", "float64", "int32",
    "float32", "module", "type", "required", "optional", "hidden", "yes", "no",
])  # fmt: skip
_QUOTED = (
    r"'''(?:\\.|(?!''')[^\\]){0,4000}'''|\"\"\"(?:\\.|(?!\"\"\")[^\\]){0,4000}\"\"\""
    r"|'(?:\\.|[^'\\\n]){0,4000}'|\"(?:\\.|[^\"\\\n]){0,4000}\""
)
_LITERAL = re.compile(f"(?P<prefix>\\b[rbfuRBFU]{{1,2}})?(?P<quoted>{_QUOTED})")
_TRIGGER = (
    "pass|pwd|pw|secret|token|key|cred|auth|cookie|jwt|bearer|session|wort|senha|contras|парол|パス|비밀|[密口令私凭]"
)
_NAMED = re.compile(
    rf"(?<![\w-])(?P<name>(?=[\w-]{{0,64}}?(?i:{_TRIGGER}))[\w-]{{2,64}})"
    r"(?P<sep>['\"]?\]?[ \t]*(?::[ \t]*[A-Za-z_][\w.\[\], |]{0,40}?[ \t]*=|:=|[=!]=|=>|[:=：])[ \t]*"
    r"|[ \t]+is[ \t]+|[ \t]+(?=[^\s=:'\"-]))"
    rf"(?:(?P<prefix>[rbfuRBFU]{{0,2}})(?P<quoted>{_QUOTED})"
    r"|(?P<open>[\[({])(?P<inside>[^\[\](){}]{0,4000})[\])}]"
    r"|(?P<bare>[^\s'\"<>{}()\[\],;&]+)(?P<after>.?))"
)
_REVERSED = re.compile(rf"(?P<quoted>{_QUOTED})(?P<sep>[ \t]*[=!]=[ \t]*)(?P<name>[\w.]{{2,64}})")
_UNPACKED = re.compile(
    rf"(?m)^([ \t]*(?:[\w.]+[ \t]*,[ \t]*)+[\w.]+)([ \t]*=[ \t]*)((?:{_QUOTED})[ \t]*,[^\n]{{0,2000}})$"
)
# The line of a column, and the head of a description, which names a Series after its variable.
_LABELLED = re.compile(r"  (\([^()\n]*\)|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|\w+): ")
_HEAD = re.compile(r"\w+: (?:polars )?Series ('(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|\w+), ")


def _names(text: str) -> str:
    parts, start = [], 0
    while found := _NAMED.search(text, start):
        secret = secret_name(found["name"])
        # What stands after a harmless name may be the next secret's.
        end = found.end() if secret else found.end("name")
        parts += [text[start : found.start()], _named(found, secret) if secret else found["name"]]
        start = end
    text = _REVERSED.sub(_named_behind, "".join([*parts, text[start:]]))
    return _UNPACKED.sub(_unpacked, text)


def _unpacked(found: re.Match[str]) -> str:
    """`user, password = "ann", "..."`: nothing says which is which without reading the code, so all go."""
    secrets = [secret for name in re.findall(r"\w+", found[1]) if (secret := secret_name(name))]
    return found[1] + found[2] + _all_literals(found[3], secrets[0]) if secrets else found[0]


def _printed_tables(text: str) -> str:
    """A table as pandas prints it: the cells that end where a secret's column name ends become as many stars.

    The column's name says what they were, and the table stays aligned.
    """
    lines = text.split("\n")
    for number, header in enumerate(lines):
        if number + 1 == len(lines) or header[:1] != " " or not re.match(r"\d+ ", lines[number + 1]):
            continue
        columns = [(m.end(), secret) for m in re.finditer(r"[^\s]+", header) if (secret := secret_name(m[0]))]
        for end, secret in columns:
            for row in range(number + 1, len(lines)):
                line = lines[row]
                if not re.match(r"\d+ ", line) or "<masked: " in line:
                    break
                begin = line.rfind(" ", 0, end) + 1
                aligned = begin < end <= len(line) and line[end : end + 1] in ("", " ")
                if aligned and _is_secret(line[begin:end], secret):
                    lines[row] = line[:begin] + "*" * (end - begin) + line[end:]
    return "\n".join(lines)


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
        return found[0][: len(before) + 1] + _all_literals(inside, secret) + found[0][-1]
    bare = found["bare"]
    return before + _masked_bare(name, sep, bare, found["after"], secret) + found["after"]


def _named_behind(found: re.Match[str]) -> str:
    secret = secret_name(found["name"].rpartition(".")[2])
    return _masked_literal(found["quoted"], secret) + found["sep"] + found["name"] if secret else found[0]


def _masked_literal(literal: str, secret: SecretName, prefix: str = "") -> str:
    quotes = literal[:3] if literal[:3] in ("'''", '"""') else literal[:1]
    body = literal[len(quotes) : -len(quotes)]
    if "f" in prefix.lower() and len(re.sub(r"\{[^{}]*\}", "", body)) < 4:
        return literal
    return quotes + masked(secret.kind) + quotes if _is_secret(body, secret) else literal


def _is_secret(body: str, secret: SecretName) -> bool:
    """Whether a string under a secret's name is one: no placeholder, no type, no name, not the code between strings."""
    stripped = body.strip()
    if not stripped or body[0] in " \t+,)]}%:;" or "<masked: " in body or stripped.lower() in _TYPES:
        return False
    if re.fullmatch(r"\{.*\}|\$\{?\w+\}?|%\(?\w*\)?s|[*x•.]+|<[^<>]*>|\.\.\.", stripped):
        return False
    if secret_name(stripped) is not None and re.fullmatch(r"[A-Za-z_-]+", stripped):
        return False
    return secret.sure == "strong" or _looks_random(stripped)


def _looks_random(body: str) -> bool:
    mixed = any(c.isdigit() for c in body) and any(c.isalpha() for c in body)
    return (" " not in body and ((mixed and len(body) >= 6) or len(body) >= 20)) or ("=" in body and len(body) >= 8)


def _masked_bare(name: str, sep: str, bare: str, after: str, secret: SecretName) -> str:
    """A value without quotes: of a `.env` file, YAML, a command line, prose; or it is code, which stays."""
    if after in ("(", "[", "{", "'", '"') or bare.lower().rstrip(".,:") in _TYPES or secret_name(bare) is not None:
        return bare
    word, tail = (bare[:-1], bare[-1]) if bare[-1] in ".?!:" and len(bare) > 1 else (bare, "")
    random = _looks_random(word) or (secret.sure == "strong" and len(word) >= 4 and bool(re.search(r"[^\w.]", word)))
    joint = sep.strip()
    if word.replace("_", "").isdigit():
        number = secret.sure == "strong" and secret.kind == "password" and len(word) >= 4 and joint not in ("", ":")
        return f'"{masked(secret.kind)}"' if number else bare
    if re.match(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$", word) and not (name.isupper() and not sep.isspace()):
        return bare  # settings.password, os.environ
    if not joint:  # `--token abc123`; two words of prose otherwise
        return masked(secret.kind) + tail if name.startswith("--") and random else bare
    if joint == "=" and sep == "=" and after not in (",", ")"):
        plain_word = word.isidentifier() and not random
        shell = name.upper() == name or name.startswith("--") or after in (";", "&") or secret.sure == "strong"
        return masked(secret.kind) if shell and (secret.sure == "strong" or not plain_word) else bare
    if word.isidentifier() and joint not in (":", "：", "is"):
        return bare  # password = other_name
    if joint in (":", "：") and secret.sure == "strong" and after == "" and word.islower() and len(word) >= 5:
        return masked(secret.kind) + tail
    return masked(secret.kind) + tail if random and joint in (":", "：", "=", "is", ":=") else bare


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
    if secret.sure == "weak":
        return text
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
