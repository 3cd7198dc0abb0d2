"""Nothing harmless is masked: ordinary tables in every way of printing them, and texts that come with Python."""

from __future__ import annotations

import base64
import os
import random
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from llmos_jupyter.agent.describe.secret_values import secrets_in
from llmos_jupyter.privacy.masking import forget_values, mask, remember

RANDOM = random.Random(3)
ROWS = 12
COUNT: list[object] = [*range(ROWS)]
WHO = ["Ann Miller", "Bob O'Neil", "Chao Wu", "Dora Novak", "Emil Zátopek", "Fatima Ali"] * 2
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def made(length: int, alphabet: str = "0123456789abcdef") -> list[str]:
    return ["".join(RANDOM.choice(alphabet) for _ in range(length)) for _ in range(ROWS)]


def numbered(form: str) -> list[str]:
    return [form.format(i) for i in range(ROWS)]


def uuids() -> list[str]:
    return [str(uuid.UUID(int=RANDOM.getrandbits(128))) for _ in range(ROWS)]


PICTURES = [base64.b64encode(RANDOM.randbytes(60)).decode() for _ in range(ROWS)]
COLUMNS: dict[str, dict[str, list[object]]] = {
    "commits": {"commit": made(40), "short": made(7), "author": WHO, "message": ["fix the token parser"] * ROWS},
    "identifiers": {"id": uuids(), "session": uuids(), "session_id": made(16)},
    "books": {"isbn": numbered("978-3-16-14841{}-0"), "title": ["The Secret Garden", "Passwords of Rome"] * 6},
    "accounts": {"iban": numbered("DE8937040044053201300{}"), "bic": ["COBADEFFXXX"] * ROWS},
    "pictures": {"picture": PICTURES, "name": numbered("a{}.png")},
    "joined": {"key": numbered("K00{}x"), "value": numbered("north{}"), "n": COUNT},
    "keys": {"customer_key": COUNT, "order_key": numbered("ORD-2024-000{}"), "foreign_key": made(12)},
    "words": {"token": ["the", "quick", "brown", "fox"] * 3, "token_count": COUNT},
    "texts": {"text": ["how many tokens", "the password was wrong", "a secret of success"] * 4, "n_tokens": COUNT},
    "football": {"player": WHO, "pass": COUNT, "pass_rate": [0.5] * ROWS, "key_passes": COUNT},
    "logins": {
        "login": ["ann.miller", "bob42", "DNovak", "emil1990", "f@x.org", "CORP\\hana", "AB12345"] + ["jo-k"] * 5,
        "last_login": numbered("2024-01-01T10:0{}:00Z"), "logins": COUNT,
    },
    "passengers": {"PassengerId": COUNT, "Name": WHO, "Ticket": numbered("A/5 2117{}"), "Cabin": ["C85", "E46"] * 6},
    "districts": {"pin_code": ["560001"] * ROWS, "vendor_id": ["VTS", "CMT"] * 6},
    "genes": {"gene": ["BRCA1", "TP53", "EGFR", "KRAS"] * 3, "sequence": made(30, "ACGT")},
    "proteins": {"accession": numbered("P0{}053"), "sequence": made(40, "ACDEFGHIKLMNPQRSTVWY")},
    "molecules": {"smiles": ["CC(=O)OC1=CC=CC=C1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C"] * 6},
    "network": {"ip": numbered("10.0.0.{}"), "mac": numbered("0a:1b:2c:3d:4e:{}f"), "agent": ["curl"] * ROWS},
    "pages": {"url": numbered("https://example.org/a?page={}&sort=asc"), "status": [200, 404] * 6},
    "files": {"file": numbered("a{}.bin"), "sha256": made(64), "md5": made(32)},
    "addresses": {"address": ["1" + text for text in made(33, BASE58)], "transaction": made(64)},
    "goods": {"sku": numbered("SK-00{}-XL"), "ean": numbered("400638133393{}"), "api": ["v1", "v2"] * 6},
    "survey": {"has_password_manager": ["yes", "no"] * 6, "password_strength": ["weak", "strong"] * 6,
               "password_length": COUNT, "secret_santa": ["Ann", "Bob"] * 6},
    "chip": {"pin": COUNT, "signal": numbered("GPIO{}")},
    "auth_log": {"auth_method": ["oauth", "basic"] * 6, "user": WHO, "session_id": made(16)},
    "settings": {"setting": ["region", "token_limit", "key_column", "author"] * 3, 
                 "value": ["eu-west-1", "4096", "id_2", "Ann42x"] * 3},
    "places": {"geohash": numbered("u4pruydqqvj{}"), "h3": ["8928308280fffff"] * ROWS},
    "people": {"email": numbered("ann{}@example.org"), "phone": numbered("+1-555-010{}"), "credit": ["A", "B"] * 6},
    "models": {"model": ["llama-3-8b-instruct", "gpt2-medium-345M"] * 6, 
               "bos_token": ["<s>"] * ROWS, "tokenizer": ["BPE"] * ROWS},
    "bakery": {"cookie": ["oatmeal", "ginger", "choc chip"] * 4, "calories": COUNT},
    "songs": {"key": ["C major", "A minor"] * 6, "track_id": ["3n3Ppam7vgaVa1iaRUc9Lp"] * ROWS},
    "cars": {"license_plate": numbered("B-AB 12{}"), "vin": ["1HGCM82633A004352"] * ROWS},
    "flowers": {"petal length (cm)": [1.4, 4.7, 5.1] * 4, "petal width (cm)": [0.2, 1.4, 1.9] * 4},
}  # fmt: skip

PRINTERS: dict[str, Callable[[pd.DataFrame], str]] = {
    "repr": repr,
    "CSV": lambda frame: str(frame.to_csv()),
    "tabs": lambda frame: str(frame.to_csv(sep="\t", index=False)),
    "JSON": lambda frame: str(frame.to_json()),
    "records": lambda frame: str(frame.to_json(orient="records")),
    "split": lambda frame: str(frame.to_json(orient="split")),
    "HTML": lambda frame: str(frame.to_html()),
    "a dictionary": lambda frame: repr(frame.to_dict("list")),
    "on its side": lambda frame: str(frame.T),
    "lists": lambda frame: repr(frame.to_numpy().tolist()),
    "a column": lambda frame: str(frame.iloc[:, 0]),
    "a row": lambda frame: str(frame.iloc[0]),
    "described": lambda frame: str(frame.describe(include="all")),
    "polars": lambda frame: str(pl.DataFrame(frame.to_dict("list"), strict=False)),
}


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    forget_values()


@pytest.mark.parametrize("name", COLUMNS)
def test_an_ordinary_table_stays_as_it_is_however_it_is_printed(name: str) -> None:
    frame = pd.DataFrame(COLUMNS[name])
    found = secrets_in({name: frame})
    assert found == {}
    remember(found)
    for how, printed in PRINTERS.items():
        text = printed(frame)
        assert mask(text) == text, how


def test_there_are_enough_of_them() -> None:
    assert len(COLUMNS) * len(PRINTERS) >= 400


@pytest.mark.parametrize(
    "module", ["argparse", "csv", "json/encoder", "tokenize", "shlex", "statistics", "uuid", "base64"]
)
def test_source_code_without_secrets_stays(module: str) -> None:
    text = (Path(os.__file__).parent / f"{module}.py").read_text(encoding="utf-8")[:40_000]
    assert mask(text) == text


def test_arrays_and_figures_stay() -> None:
    picture = base64.b64encode(np.random.RandomState(1).bytes(3_000)).decode()
    for text in (repr(np.random.RandomState(1).rand(20, 8)), f"data:image/png;base64,{picture}", picture):
        assert mask(text) == text
