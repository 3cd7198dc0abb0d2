"""Tables in whatever form they are printed: what a secret's name stands over goes, everything else stays."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import polars as pl
import pytest

from llmos_jupyter.privacy.masking import mask

SECRETS = ("Pa55w0rd1", "swordfish", "tok-88-x", "tok-9111", "4821")
USERS: dict[str, list[Any]] = {
    "user": ["ann", "bob"],
    "password": ["Pa55w0rd1", "swordfish"],
    "access_token": ["tok-88-x", "tok-9111"],
    "pin": [4821, 4821],
    "n": [1.5, 2.5],
}
SETTINGS = {"name": ["db_password", "region", "api_key"], "value": ["Pa55w0rd1", "eu-west-1", "tok-9111"]}
DF = pd.DataFrame(USERS)
CONF = pd.DataFrame(SETTINGS)

WITH_SECRETS: dict[str, object] = {
    "printed": DF,
    "without its index": DF.to_string(index=False),
    "across": DF.T,
    "one row": DF.iloc[0],
    "a column": DF["password"],
    "a named index": DF.set_index("password")[["user", "n"]],
    "names of two words": DF.rename(columns={"access_token": "api key", "password": "Passwort"}),
    "wide": pd.concat([DF.drop(columns="pin").add_prefix(f"c{i}_") for i in range(6)], axis=1),
    "two levels": pd.DataFrame({("login", "password"): ["Pa55w0rd1"], ("login", "user"): ["ann"]}),
    "described": DF[["user", "password"]].describe(),
    "csv": DF.to_csv(),
    "csv across": DF.T.to_csv(),
    "csv with quotes": DF.assign(user=["Miller, Ann", 'the "bob"']).to_csv(index=False),
    "semicolons": DF.to_csv(sep=";", index=False),
    "tabs": DF.to_csv(sep="\t"),
    "csv as a string": repr(DF.to_csv()),
    "a string among others": [DF.to_csv(index=False), DF.T.to_string(), 'it says "no"'],
    "html": DF.to_html(),
    "html across": DF.T.to_html(),
    "markdown": "| user | password |\n|:---|---:|\n| ann | Pa55w0rd1 |\n| bob | swordfish |",
    "json": DF.to_json(),
    "records": DF.rename(columns={"access_token": "api key"})[["user", "api key"]].to_dict("records"),
    "an index": pd.Index(["Pa55w0rd1", "swordfish"], name="password"),
    "polars": pl.DataFrame(USERS),
    "a polars column": pl.Series("password", ["Pa55w0rd1"]),
    "settings": CONF,
    "settings as csv": CONF.to_csv(index=False),
    "settings in polars": pl.DataFrame(SETTINGS),
    "settings as a series": CONF.set_index("name")["value"],
    "settings in markdown": "| key | value |\n|---|---|\n| db_password | Pa55w0rd1 |\n| region | eu |",
    "settings as html": CONF.to_html(index=False),
}


@pytest.mark.parametrize("name", WITH_SECRETS)
def test_no_secret_of_a_table_is_left(name: str) -> None:
    text = f"before\n\n{WITH_SECRETS[name]}\n\nafter: 17"
    masked = mask(text)
    for secret in SECRETS:
        assert secret not in masked
    assert mask(masked) == masked
    for kept in ("ann", "eu-west-1", "region", "1.5", "after: 17"):
        assert (kept in masked) == (kept in text)


def test_a_printed_table_stays_aligned() -> None:
    for value in (DF, DF.T, CONF, pl.DataFrame(USERS)):
        before, after = str(value).split("\n"), mask(str(value)).split("\n")
        assert [len(line) for line in before] == [len(line) for line in after]
        assert before[0] == after[0]


def info(frame: pd.DataFrame) -> str:
    written = io.StringIO()
    frame.info(buf=written)
    return written.getvalue()


CHECKS = pd.DataFrame({"field": ["password", "email"], "count": [12, 10], "quality": ["weak", "good"]})
WORDS = pd.DataFrame({"token": ["the", "quick"], "token_count": [12, 3], "pin_code": [560001, 560002]})
JOIN = pd.DataFrame({"key": ["K0001a", "K0002b"], "value": ["north12", "south13"]})
WITHOUT: dict[str, object] = {
    "counts of missing values": DF.isna().sum(),
    "types": DF.dtypes,
    "distinct values": DF.nunique(),
    "info": info(DF),
    "fields and what is wrong with them": CHECKS,
    "the same as csv": CHECKS.to_csv(index=False),
    "the same in polars": pl.DataFrame(CHECKS.to_dict("list")),
    "the same in markdown": "| field | quality |\n|---|---|\n| password | weak |\n| email | good |",
    "value counts": pd.Series(["password", "email", "password"]).value_counts(),
    "words": WORDS,
    "words as csv": WORDS.to_csv(),
    "a join": JOIN,
    "a join as csv": JOIN.to_csv(index=False),
    "pins of a chip": pd.DataFrame({"pin": [13, 27], "mode": ["in", "out"]}),
    "hashes": pd.DataFrame({"commit": ["3f786850e387550fdab836ed7e6dc881de23001b"], "author": ["ann"]}),
    "a matrix": pd.DataFrame([[1.0, 0.3], [0.3, 1.0]], index=["password_length", "age"], columns=["x", "y"]),
    "an argument list": "foo(\n    host, user, password,\n    port, db, timeout,\n)",
    "types with bars": "password: str | None = None\nport: int | None = None",
    "comments": "save(x)  # the token\nreturn True  # by default",
    "help": "Options:\n  --password TEXT  the password of the database\n  --user TEXT      its user",
}


@pytest.mark.parametrize("name", WITHOUT)
def test_a_table_without_secrets_stays(name: str) -> None:
    text = f"before\n\n{WITHOUT[name]}\n\nafter"
    assert mask(text) == text
