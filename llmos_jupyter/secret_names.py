"""Which names say that their value is a secret: `db_password`, `apiKey`, `X-Auth-Token`, `密码`; not `token_count`.

A name is read as words, as people write them (`snake_case`, `camelCase`, `kebab-case`), so that `author`, `secretary`
and `tokenizer` are no secrets.
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
    "senha": "password", "пароль": "password", "パスワード": "password", "비밀번호": "password",
    "secret": "secret", "apikey": "API key", "credential": "credential", "privatekey": "private key",
    "secretkey": "secret key", "accesskey": "access key",
}  # fmt: skip
# Words that have other meanings too (a token of a text, a cookie to eat): the value must look like a secret as well.
_WEAK = {
    "token": "token", "auth": "credential", "authorization": "credential", "cookie": "cookie", "jwt": "token",
    "bearer": "token", "authtoken": "token", "accesstoken": "token",
    "sessionid": "session", "sessionkey": "session key",
}  # fmt: skip
_STRONG_KEYS = frozenset(
    ["api", "private", "secret", "access", "encryption", "signing", "master", "ssh", "hmac", "aes"]
)
_WEAK_KEYS = frozenset(
    ["session", "auth", "account", "client", "service", "license", "licence", "shared", "storage", "deploy", "app"]
)
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
    "pattern", "sock", "socket", "parallelism", "class", "enabled", "ttl", "rank", "weight", "weights",
])  # fmt: skip
_ABOUT_FIRST = frozenset([
    "n", "num", "max", "min", "total", "avg", "mean", "sum", "is", "has", "needs", "no", "num_", "count", "per",
    "stop", "pad", "eos", "bos", "unk",
])  # fmt: skip
_CHINESE = re.compile(r"(密码|口令|令牌|密钥|私钥|凭证)(?!强度|长度|数量|数|类型|错误|策略|过期|位数)")
_CHINESE_KINDS = {"密码": "password", "口令": "password", "令牌": "token", "密钥": "key", "私钥": "private key",
                  "凭证": "credential"}  # fmt: skip


class SecretName(NamedTuple):
    """What a secret-looking name promises: the kind of secret, and how sure the name alone makes it."""

    kind: str
    sure: Literal["strong", "weak"]


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
        # `tokens` and `cookies` alone are mostly things that are counted.
        if word in _WEAK or (single in _WEAK and before in _TOKEN_KINDS):
            return SecretName(_WEAK[single], "strong" if single == "token" and before in _TOKEN_KINDS else "weak")
        before = word
    return None
