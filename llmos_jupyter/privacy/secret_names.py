"""Which names say that their value is a secret, and whether a value under such a name is one.

`db_password`, `apiKey`, `X-Auth-Token`, `密码` are such names; `token_count` is not. A name is read as words, as people
write them (`snake_case`, `camelCase`, `kebab-case`), so that `author`, `secretary` and `tokenizer` are no secrets.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, NamedTuple

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[^\W\d_A-Za-z]+")

# Words whose value is a secret whatever it looks like, and what to call it.
_STRONG = {
    "password": "password", "passwd": "password", "pwd": "password", "passphrase": "password", "passcode": "password",
    "passwort": "password", "kennwort": "password", "contrasena": "password",
    "wachtwoord": "password", "haslo": "password", "hasło": "password", "losenord": "password", "lösenord": "password",
    "heslo": "password", "salasana": "password", "motdepasse": "password",
    "senha": "password", "пароль": "password", "パスワード": "password", "비밀번호": "password",
    "secret": "secret", "apikey": "API key", "credential": "credential", "cred": "credential",
    "privatekey": "private key",
    "secretkey": "secret key", "accesskey": "access key",
}  # fmt: skip
# Words that have other meanings too (a token of a text, a cookie to eat): the value must look like a secret as well.
_WEAK = {
    "token": "token", "auth": "credential", "authorization": "credential", "cookie": "cookie", "jwt": "token",
    "bearer": "token", "authtoken": "token", "accesstoken": "token",
    "csrfmiddlewaretoken": "token", "psk": "password",
    "sessionid": "session", "sessionkey": "session key",
    # Spanish for password and for key, Italian for word.
    "clave": "password", "parola": "password",
}  # fmt: skip
# Whose PIN it is; other pins are those of a chip.
_PIN_OF = frozenset([
    "card", "user", "atm", "bank", "account", "sim", "phone", "login", "security", "customer", "my", "door", "debit",
    "credit", "secret",
])  # fmt: skip
_STRONG_KEYS = frozenset(
    ["api", "private", "secret", "access", "encryption", "signing", "master", "ssh", "hmac", "aes"]
)
_WEAK_KEYS = frozenset([
    "session", "auth", "account", "client", "service", "license", "licence", "shared", "storage", "deploy", "app",
    # Vendors whose keys have no form of their own: the name says whose key it is, the value that it is one.
    "adafruit", "airtable", "algolia", "anthropic", "asana", "aws", "azure", "beamer", "bitbucket", "bittrex",
    "cloudflare", "codecov", "cohere", "coinbase", "confluent", "contentful", "datadog", "deepgram", "deepseek",
    "discord", "dropbox", "elevenlabs", "etsy", "fastly", "finnhub", "freshbooks", "gemini", "gitter", "google", "groq",
    "heroku", "hubspot", "huggingface", "intercom", "kaggle", "kraken", "kucoin", "langsmith", "linkedin", "looker",
    "mailchimp", "mailgun", "mapbox", "mattermost", "messagebird", "mistral", "netlify", "newrelic", "nytimes",
    "okta", "openai", "openweather", "owm", "perplexity", "pinecone", "plaid", "quandl", "rapidapi", "sendbird",
    "sendgrid", "sentry", "serpapi", "snyk", "stripe", "sumologic", "tavily", "travis", "twilio", "twitch", "twitter",
    "voyage", "wandb", "yandex", "zendesk",
])  # fmt: skip
_TOKEN_KINDS = frozenset([
    "access", "api", "auth", "bearer", "id", "refresh", "session", "secret", "csrf", "github", "gitlab", "slack",
    "bot", "hf",
])  # fmt: skip
_PASS_OF = frozenset([
    "db", "user", "smtp", "mail", "email", "imap", "ftp", "sftp", "admin", "root", "key", "mysql", "pg", "postgres",
    "redis", "ssh", "proxy", "ldap",
])  # fmt: skip
# Words that make it something about a secret: how many, how long, where, since when.
_ABOUT_LAST = frozenset([
    "count", "counts", "length", "len", "size", "rate", "strength", "policy", "name", "names", "id", "ids", "type",
    "types", "field", "fields", "column", "columns", "col", "label", "labels", "url", "uri", "endpoint", "path",
    "file", "files", "filename", "dir", "expiry", "expires", "expired", "expiration", "age", "date", "at", "time",
    "timestamp", "ts", "num", "usage", "used", "reset", "required", "changed", "valid", "validity", "method", "mode",
    "provider", "scheme", "server", "host", "user", "username", "users", "group", "level", "status", "state", "flow",
    "error", "errors", "attempts", "failures", "manager", "input", "prompt", "form", "page", "hint", "version",
    "format", "limit", "budget", "window", "freq", "frequency", "index", "idx", "vocab", "vocabulary", "embedding",
    "embeddings", "cost", "price", "score", "scores", "prob", "probs", "dim", "mask", "map", "entropy", "regex",
    "log", "logs", "event", "events", "history", "stats", "summary", "report",
    "pattern", "sock", "socket", "parallelism", "class", "enabled", "ttl", "rank", "weight", "weights",
])  # fmt: skip
_ABOUT_FIRST = frozenset([
    "n", "num", "max", "min", "total", "avg", "mean", "sum", "is", "has", "needs", "no", "num_", "count", "per",
    "stop", "pad", "eos", "bos", "unk",
])  # fmt: skip
# What may follow `secret` in the name of one.
_OF_SECRETS = frozenset([
    "key", "keys", "access", "token", "tokens", "value", "values", "string", "text", "phrase", "code", "hash", "base",
    "api", "data", "b", "hex", "bytes", "env", "prod", "dev", "test", "live", "client", "app", "aws", "old", "new",
])  # fmt: skip
_CHINESE = re.compile(r"(密码|口令|令牌|密钥|私钥|凭证)(?!强度|长度|数量|数|类型|错误|策略|过期|位数)")
_CHINESE_KINDS = {"密码": "password", "口令": "password", "令牌": "token", "密钥": "key", "私钥": "private key",
                  "凭证": "credential"}  # fmt: skip


class SecretName(NamedTuple):
    """What a secret-looking name promises: the kind of secret, and how sure the name alone makes it. `weak`: the value
    must look like one as well; `digits`: it must be four digits or more; `shaped`: it must be made like a password."""

    kind: str
    sure: Literal["strong", "weak", "digits", "shaped"]


@lru_cache(maxsize=4096)
def secret_name(name: str) -> SecretName | None:
    """What kind of secret a variable, key, column, header or argument of this name holds; None if none."""
    if found := _CHINESE.search(name):
        return SecretName(_CHINESE_KINDS[found[1]], "strong")
    words = [word.lower() for word in _WORDS.findall(name.replace("ñ", "n"))]
    if not words or words[-1] in _ABOUT_LAST or (len(words) > 1 and words[0] in _ABOUT_FIRST):
        return None
    before = ""
    for word in words:
        single = word[:-1] if word.endswith("s") and not word.endswith("ss") else word
        if single == "secret" and word != words[-1] and not _OF_SECRETS.issuperset(words[words.index(word) + 1 :]):
            return SecretName("secret", "weak")  # secret_santa
        if single in _STRONG:
            return SecretName(_STRONG[single], "strong")
        if word.endswith(("password", "passwd", "passphrase", "apikey")):  # PGPASSWORD
            return SecretName("API key" if word.endswith("apikey") else "password", "strong")
        if single == "key" and before in _STRONG_KEYS:
            return SecretName(f"{'API' if before == 'api' else before} key", "strong")
        if single == "key" and before in _WEAK_KEYS:
            return SecretName(f"{before} key", "weak")
        if word in ("pass", "pw") and (before in _PASS_OF or word == "pw") and word == words[-1]:
            return SecretName("password", "strong" if before else "weak")
        if word == "passe" and "mot" in words:  # mot_de_passe
            return SecretName("password", "strong")
        if word == "pin" and word == words[-1] and (len(words) == 1 or before in _PIN_OF):
            return SecretName("PIN", "digits")
        # `tokens` and `cookies` alone are mostly things that are counted.
        if word in _WEAK or (single in _WEAK and before in _TOKEN_KINDS):
            return SecretName(_WEAK[single], "strong" if single == "token" and before in _TOKEN_KINDS else "weak")
        before = word
    return None


# Names of logins: a user's name is no secret, but people keep a password or a token there as well.
_LOGIN = re.compile(r"(?:.*[^A-Za-z])?(?i:log_?[io]n|signin)$|.*[a-z]Log[io]n$")


@lru_cache(maxsize=4096)
def holder_name(name: str) -> SecretName | None:
    """`secret_name`, and the names under which a value is a secret only if it is made like a password."""
    return secret_name(name) or (SecretName("password", "shaped") if _LOGIN.match(name.strip()) else None)


# --- values under such a name ---------------------------------------------------------------------

TYPES = frozenset([
    "str", "int", "float", "bool", "bytes", "object", "none", "true", "false", "null", "nan", "optional", "string",
    "strings", "category", "list", "dict", "tuple", "set", "series", "dataframe", "any", "function", "class",
    "lambda", "not", "self", "input", "getpass", "text", "varchar", "number", "numbers", "int64", "float64", "int32",
    "float32", "module", "type", "required", "optional", "hidden", "yes", "no", "bytes", "binary", "non-null",
])  # fmt: skip


def masked(kind: str) -> str:
    """What stands where a secret stood."""
    return f"<masked: {kind}>"


def is_secret(body: str, secret: SecretName) -> bool:
    """Whether a string under a secret's name is one: no placeholder, no type, no name, not the code between strings."""
    stripped = body.strip()
    if not stripped or body[0] in " \t+,)]}%:;" or "<masked: " in body or stripped.lower() in TYPES:
        return False
    if re.fullmatch(r"\{.*\}|\$\{?\w+\}?|%\(?\w*\)?s|[*x•.]+|<[^<>]*>|\.\.\.", stripped):
        return False
    if secret.sure == "digits":
        return re.fullmatch(r"\d{4,12}", stripped) is not None
    if secret.sure == "shaped":
        return looks_like_password(stripped)
    if secret_name(stripped) is not None and re.fullmatch(r"[A-Za-z_-]+", stripped):
        return False
    return secret.sure == "strong" or looks_random(stripped)


def looks_random(body: str) -> bool:
    mixed = any(c.isdigit() for c in body) and any(c.isalpha() for c in body)
    return (" " not in body and ((mixed and len(body) >= 6) or len(body) >= 20)) or ("=" in body and len(body) >= 8)


_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def looks_like_password(body: str) -> bool:
    """Whether a text is made like a password or a token, and not like a user's name, an address or a time.

    `Pa55w0rd`, `k7!mv#2q` and a long mixed key are; `ann42`, `Ann.Miller1990`, `AB12345`, `ann@example.org` are not.
    """
    if len(body) < 8 or re.search(r"\s|://|@[\w-]+\.\w|^[\w.-]+\\", body) or _UUID.fullmatch(body):
        return False
    if not (re.search(r"\d", body) and re.search(r"[A-Za-z]", body)):
        return False
    if re.search(r"\d[T ]\d\d:|\d{4}-\d\d-\d\d", body):
        return False
    sign = re.search(r"[!#$%^&*?+=~]", body)
    mixed = re.search(r"[a-z]", body) and re.search(r"[A-Z]", body) and re.search(r"[A-Za-z]\d+[A-Za-z]", body)
    return bool(sign or mixed or (len(body) >= 20 and len(re.findall(r"\d", body)) >= 4))
