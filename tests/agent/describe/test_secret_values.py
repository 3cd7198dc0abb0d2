"""Secrets are known by the objects that hold them, whatever way these are printed."""

from __future__ import annotations

import argparse
import collections
import configparser
import dataclasses
import json
import time
import types
from collections.abc import Iterator
from urllib.parse import quote

import numpy as np
import pandas as pd
import polars as pl
import pytest
from IPython.core.interactiveshell import InteractiveShell
from pydantic import BaseModel, SecretStr

from llmos_jupyter.agent.context.notebook_context import NotebookContext
from llmos_jupyter.agent.describe.secret_values import secrets_in, secrets_of
from llmos_jupyter.agent.describe.variables import describe_variable
from llmos_jupyter.privacy.masking import forget_values, mask, mask_known, remember

SECRET = "Pa55w0rd-1"


@dataclasses.dataclass
class Settings:
    user: str = "ann"
    password: str = SECRET

    def __repr__(self) -> str:
        return f"Settings(user={self.user}, {self.password})"


class Account(BaseModel):
    user: str
    password: SecretStr


def parsed() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read_string(f"[db]\nuser = ann\npassword = {SECRET}")
    return parser


HOLDERS: dict[str, object] = {
    "frame": pd.DataFrame({"user": ["ann"], "password": [SECRET]}),
    "category": pd.DataFrame({"user": ["ann"], "password": pd.Categorical([SECRET])}),
    "turned": pd.DataFrame({"password": [SECRET], "user": ["ann"]}).T,
    "indexed": pd.DataFrame({"v": [1]}, index=pd.Index([SECRET], name="password")),
    "levels": pd.DataFrame({("login", "password"): [SECRET]}),
    "series": pd.Series([SECRET], name="password"),
    "row": pd.Series({"user": "ann", "password": SECRET}),
    "settings": pd.DataFrame({"name": ["db_password", "region"], "value": [SECRET, "eu-west-1"]}),
    "polars": pl.DataFrame({"user": ["ann"], "password": [SECRET]}),
    "nested": {"db": {"user": "ann", "password": SECRET}},
    "records": [{"user": "ann", "api key": SECRET}],
    "passwords": [SECRET],
    "password": SECRET,
    "configured": Settings(),
    "ordered": collections.OrderedDict(user="ann", password=SECRET),
    "environment": {b"DB_PASSWORD": SECRET.encode()},
    "named": collections.namedtuple("Account", "user password")("ann", SECRET),
    "arguments": argparse.Namespace(user="ann", db_password=SECRET),
    "holder": types.SimpleNamespace(db=types.SimpleNamespace(credentials={"token": SECRET})),
    "model": Account(user="ann", password=SecretStr(SECRET)),
    "parsed": parsed(),
    "headers": {"Authorization": f"Bearer {SECRET}"},
    "logins": pd.DataFrame({"login": ["ann", "bob42", SECRET]}),
    "api_keys": np.array([SECRET]),
    "structured": np.array([("ann", SECRET)], dtype=[("user", "U20"), ("password", "U20")]),
    "rows": [["user", "password"], ["ann", SECRET]],
    "strings": pd.DataFrame({"pass word": ["x"], "Api-Key": pd.array([SECRET], dtype="string")}),
    "_3": pd.DataFrame({"password": [SECRET]}),
    "binary": {"password": SECRET.encode()},
}


@pytest.mark.parametrize("name", HOLDERS)
def test_the_secrets_of_an_object_are_found(name: str) -> None:
    assert list(secrets_of(name, HOLDERS[name])) == [SECRET]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("frame", pd.DataFrame({"token": ["the", "quick", "brown4fox"], "token_count": [1, 2, 3]})),
        ("joined", pd.DataFrame({"key": ["K0001a"], "value": ["north12"]})),
        ("survey", pd.DataFrame({"has_password": ["yes"], "password_strength": ["weak12!"]})),
        ("numbers", pd.DataFrame({"password": [1.0], "pin_code": ["560001"]})),
        ("tokens", ["a1b2c3", "d4e5f6"]),
        ("author", "Pa55w0rd-1"),
        ("series", pd.Series(["north12"], name="region")),
        ("module", pd),
        ("function", secrets_of),
        ("kind", Settings),
        ("array", np.arange(3)),
        ("logins", pd.DataFrame({"login": ["ann", "bob42", "Ann.Miller1990", "AB12345", "a.b4C@x.org"]})),
        ("auth_log", pd.DataFrame({"user": ["ann"], "session_id": ["39021afff0a28328"]})),
        ("secret_santa", ["Ann", "Bob"]),
        ("rows", [["key", "value"], ["K001a", "north12"]]),
    ],
)
def test_ordinary_objects_hold_none(name: str, value: object) -> None:
    assert secrets_of(name, value) == {}


def test_an_object_that_misbehaves_holds_none_and_is_not_run() -> None:
    class Sly(pd.DataFrame):  # type: ignore[misc]
        def __getattribute__(self, name: str) -> object:
            raise RuntimeError(name)

    class Odd:
        @property
        def password(self) -> str:
            raise RuntimeError

    assert secrets_of("sly", Sly({"password": [SECRET]})) == {}
    assert secrets_of("odd", Odd()) == {}


def test_the_secrets_of_a_table_of_pyarrow_are_found() -> None:
    pa = pytest.importorskip("pyarrow")
    assert list(secrets_of("t", pa.table({"user": ["ann"], "apiKey": [SECRET]}))) == [SECRET]


@pytest.mark.parametrize("name", HOLDERS)
def test_a_description_shows_none(name: str) -> None:
    assert SECRET not in describe_variable(name, HOLDERS[name], max_chars=900)


def test_a_description_hides_what_another_column_repeats() -> None:
    frame = pd.DataFrame({"password": [SECRET], "notes": [f"the login is {SECRET}"], "pin": [4821]})
    told = describe_variable("users", frame, max_chars=900)
    assert SECRET not in told
    assert "4821" not in told
    assert "the login is" in told


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    forget_values()


def test_values_are_masked_wherever_they_stand() -> None:
    remember({SECRET: "password", "two words 7": "password", "weak": "password", "4821": "PIN"})
    assert (
        mask(f"a,{SECRET};b [{SECRET}] '{SECRET}'")
        == "a,<masked: password>;b [<masked: password>] '<masked: password>'"
    )
    assert mask(repr(f"user\n{SECRET}\n")) == repr("user\n<masked: password>\n")
    assert mask("it is two words 7!") == "it is <masked: password>!"
    assert mask("a weak signal, 4821 rows") == "a weak signal, 4821 rows"
    assert mask(f"x{SECRET}x") == f"x{SECRET}x"
    assert mask_known("plain", {}) == "plain"


def test_neither_the_prompt_nor_what_an_answer_showed_holds_a_secret_of_the_namespace() -> None:
    shell = InteractiveShell()
    context = NotebookContext(shell)
    shell.run_cell("import pandas as pd\nusers = pd.DataFrame({'user': ['ann'], 'password': ['Pa55w0rd-' + '1']})",
                   store_history=True)  # fmt: skip
    shell.run_cell("raise ValueError('no login with ' + users.password[0])", store_history=True)
    context.note_error(2, ValueError("no login with Pa55w0rd-1"))
    turn = context.compose("show users", 6000)
    assert SECRET not in "".join(message.content for message in context.prompt(turn))
    shell.user_ns["more"] = {"api_key": "k-99-new-one"}
    context.commit(turn, "```python\nprint(more)\n```", f"values: {SECRET} and k-99-new-one")
    after = "".join(message.content for message in context.prompt(context.compose("and now?", 6000)))
    assert "That showed" in after
    assert SECRET not in after
    assert "k-99-new-one" not in after


def test_every_printing_of_a_known_value_is_masked() -> None:
    value = 'p"w/é<9>&-Xq'
    remember({value: "password"})
    frame = pd.DataFrame({"user": ["ann"], "note": [value]})
    printed = [
        frame.to_json(), frame.to_csv(), frame.to_html(), frame.to_string(), repr(frame.values.tolist()), repr(value),
        json.dumps({"x": value}), quote(value), str(pl.DataFrame({"note": [value]})),
    ]  # fmt: skip
    for text in printed:
        assert "w/é" not in mask(text)
        assert "w\\/" not in mask(text)
        assert "<masked: password>" in mask(text)


def test_a_known_value_is_masked_where_it_is_wrapped_or_cut() -> None:
    token = "Zx81Qw92Er73Ty64Ui55"
    remember({token: "token", "sunny-day-7": "password"})
    for text in (
        f"it is {token[:7]}\n{token[7:]}.",
        f"['{token[:9]}'\n '{token[9:]}']",
        repr(f"a {token[:9]}\n{token[9:]}"),
    ):
        assert mask(text).count("<masked: token>") == 1
        assert "Zx81" not in mask(text)
        assert "55" not in mask(text)
    three = f"{token[:7]}\n  {token[7:14]}\n  {token[14:]}\nrest"
    assert mask(three) == "<masked: token>\nrest"
    assert "Zx81Qw92E" not in mask(f"{token[:12]}...  {token[:11]}…")
    box = "\n".join(f"│ ann ┆ {part} │" for part in (token[:10], token[10:]))
    assert token[:10] not in mask(box)
    assert token[10:] not in mask(box)
    plain = "a day\nsunny-day\n8, Zx81\nQw93 stays"
    assert mask(plain) == plain


def test_common_words_are_masked_in_company_only() -> None:
    users = pd.DataFrame(
        {"user": ["ann", "bob", "cid"], "password": ["sunshine", "dragon", "Pa55w0rd-1"], "pin": [4821, 1234, 1999]}
    )
    remember(secrets_of("users", users))
    assert mask(repr(users.password.tolist())) == repr(["<masked: password>"] * 3)
    assert mask(repr(users.pin.tolist())) == str(["<masked: PIN>"] * 3).replace("'", "")
    assert mask("\n".join(users.password)) == "\n".join(["<masked: password>"] * 3)
    assert mask("['dragon', 'sunshine']") == "['<masked: password>', '<masked: password>']"
    for text in (
        "a dragon in the sunshine",
        "in 1999 and 1234",
        "[1999, 2000, 2001]",
        "['dragon', 'fire', 'sunshine']",
    ):
        assert mask(text) == text


def test_what_was_deleted_is_still_known() -> None:
    shell = InteractiveShell()
    context = NotebookContext(shell)
    shell.user_ns["users"] = pd.DataFrame({"password": [SECRET]})
    context.note_secrets()
    del shell.user_ns["users"]
    context.note_secrets()
    assert SECRET not in mask(f"it printed {SECRET}")


def test_both_ends_of_a_long_column_are_known() -> None:
    found = secrets_of("users", pd.DataFrame({"password": [f"secret-{i}" for i in range(20_000)]}))
    assert "secret-0" in found
    assert "secret-19999" in found


def test_a_large_namespace_is_looked_at_in_its_time() -> None:
    names = {f"password_{i}": pd.DataFrame({"password": [f"secret-{i}-{j}" for j in range(1000)]}) for i in range(200)}
    secrets_in({"warm": names["password_0"]})
    start = time.process_time()
    found = secrets_in(names, 0.02)
    assert time.process_time() - start < 0.5
    assert "secret-199-7" in found
