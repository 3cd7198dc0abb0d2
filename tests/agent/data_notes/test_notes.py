"""Notes of the data: which code they are told of, in which words, and of which code they must not be."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_jupyter.agent import live
from llmos_jupyter.agent.data_notes.notes import data_notes
from tests.examples import examples


def namespace() -> dict[str, Any]:
    people = pd.DataFrame(
        {
            "name": [f"n{i}" for i in range(100)],
            "sex": ["f", "m"] * 50,
            "Age": [None if i % 5 == 0 and i < 90 else 20.0 + i for i in range(100)],
            "Deck": [None if i % 2 else "A" for i in range(100)],
            "fare": [float(i) for i in range(100)],
            "rare": [None if i < 3 else 1.0 for i in range(100)],
        }
    )
    emp = pd.DataFrame({"id": range(20), "team": ["a", "b"] * 10, "pay": range(100, 120)})
    shop = pd.DataFrame(
        {
            "item": ["a", "b", "c"],
            "price": ["1,234", "99", "250"],
            "size": ["1.5 €", "2.5 €", "3.5 €"],
            "year": ["2019", "2020", "2021"],
            "word": ["ten", "two", "six"],
            "real": [1.5, 2.5, 3.5],
        }
    )
    return {
        "pd": pd,
        "np": np,
        "people": people,
        "ages": people["Age"],
        "emp": pd.concat([emp, emp.iloc[:2]], ignore_index=True),
        "clean": emp,
        "dice": pd.DataFrame({"one": [1, 2, 1, 2, 1], "two": [3, 3, 3, 3, 3]}),
        "shop": shop,
        "a": pd.DataFrame({"id": [1, 1, 1, 2, 3, 4, 5, 6, 7, 8], "v": range(10)}),
        "b": pd.DataFrame({"id": [1, 1, 9], "w": range(3)}),
        "c": pd.DataFrame({"id": [1, 2, 3], "w": range(3)}),
        "trips": pd.DataFrame(
            {
                "when": ["03/04/2025", "05/06/2025", "07/07/2025"],
                "day": ["03/04/2025", "25/12/2024", "01/02/2025"],
                "begins": ["25/12/2024", "03/04/2025", "01/02/2025"],
                "usual": ["03/04/2025", "12/25/2024", "01/02/2025"],
                "iso": ["2025-04-03", "2024-12-25", "2025-02-01"],
                "same": ["03/03/2025", "04/04/2025", "05/05/2025"],
            }
        ),
        "users": pd.DataFrame(
            {
                "active": pd.array([True, False, None, None, None, True], dtype="boolean"),
                "paid": pd.Series([True, False, None, True, True, None], dtype="object"),
                "known": [True, False, True, True, False, True],
                "n": range(6),
            }
        ),
        "ids": pd.DataFrame(
            {
                "long": [12345678901234567, 12345678901234569],
                "short": [1, 2],
                "text": ["12345678901234567", None],
                "whole": ["12345678901234567", "22345678901234567"],
                "round": [2**60, 2**61],
            }
        ),
    }


AGE = "18 of 100 values of `Age` are missing and left out."
DECK = "50 of 100 values of `Deck` are missing and left out."
TWICE = "`emp` has 2 duplicate rows; they count twice here."
SORTED = "`price` is text ('1,234'): it is sorted as text, not by value."
COMPARED = "`price` is text ('1,234'): it is compared as text, not by value."
MANY = "The key `id` repeats in both tables: 3 rows of `a` meet 2 of `b`, so rows multiply (10 -> {})."
UNCLEAR = "`when` is read month first: 03/04/2025 is 4 March; give `dayfirst=True` if it is not."
DAY = (
    "`day` is written day first, as 25/12/2024 shows, and read month first: 03/04/2025 is taken for 4 March; "
    "give `dayfirst=True`."
)
ACTIVE = "3 values of `active` are unknown and counted as neither."
PAID = "2 values of `paid` are unknown and counted as neither."
LONG = "`long` holds whole numbers of 17 digits: as floating point numbers their last digits change."

TOLD = [
    # missing values
    ("people['Age'].mean()", AGE),
    ("people.Age.median()", AGE),
    ("ages.mean()", "18 of 100 values of `ages` are missing and left out."),
    ("np.mean(people['Age'])", AGE),
    ("people['Age'].count()", AGE),
    ("round(people['Age'].astype(float).mean(), 1)", AGE),
    ("people.groupby('sex')['Age'].mean()", AGE),
    ("people.groupby('sex').Age.agg(['mean', 'max'])", AGE),
    ("people.groupby('sex').agg({'Age': 'mean', 'fare': 'sum'})", AGE),
    ("people.groupby('sex').agg(age=('Age', 'mean'))", AGE),
    ("people[['Age', 'fare']].mean()", AGE),
    ("people.mean(numeric_only=True)", AGE),
    ("(people['Age'] * people['fare']).sum()", AGE),
    ("x = people['Age']\nx.sum()", AGE),
    ("people.groupby('Deck')['fare'].sum()", DECK),
    ("people.groupby('Deck').size()", DECK),
    ("people['Deck'].value_counts()", DECK),
    ("people[people['fare'] < 50]['Age'].mean()", "10 of 50 values of `Age` are missing and left out."),
    ("old = people[people['sex'] == 'f']\nold['Age'].mean()", "9 of 50 values of `Age` are missing and left out."),
    ("people.loc[people.fare.ge(90), 'Deck'].value_counts()", "5 of 10 values of `Deck` are missing and left out."),
    # rows that count twice
    ("emp['pay'].sum()", TWICE),
    ("len(emp)", TWICE),
    ("emp.groupby('team')['pay'].mean()", TWICE),
    ("emp.groupby('team').size()", TWICE),
    ("emp['team'].value_counts()", TWICE),
    ("emp[emp['team'] == 'a'].pay.mean()", "`emp` has 1 duplicate row; it counts twice here."),
    ("emp.agg({'pay': 'sum'})", TWICE),
    # numbers that are text
    ("shop.sort_values('price')", SORTED),
    ("shop.sort_values(by=['item', 'price'], ascending=False)", SORTED),
    ("shop['price'].sort_values()", SORTED),
    ("shop['price'].max()", COMPARED),
    ("shop[shop['price'] > '300']", COMPARED),
    ("shop['price'].sum()", "`price` is text ('1,234'): its values are joined as text, not added."),
    ("shop['size'].sum()", "`size` is text ('1.5 €'): its values are joined as text, not added."),
    ("shop[shop['year'] == 2020]", "`year` is text ('2019'): none of its values equals the number 2020."),
    # joins
    ("a.merge(b, on='id')", MANY.format(6)),
    ("pd.merge(a, b, on='id', how='left')", MANY.format(13)),
    ("a.merge(b)", MANY.format(6)),
    ("a.merge(b, left_on='id', right_on='id', how='outer')", MANY.format(14)),
    ("a.merge(b[['id']], how='right')", MANY.format(7)),
    ("a.join(b.set_index('id'), on='id')", MANY.format(13)),
    # dates
    ("pd.to_datetime(trips['when'])", UNCLEAR),
    ("trips['t'] = pd.to_datetime(trips.when)", UNCLEAR),
    ("trips['when'].astype('datetime64[ns]')", UNCLEAR),
    ("import pandas\npandas.to_datetime(trips['when'])", UNCLEAR),
    ("pd.to_datetime(trips['day'], errors='coerce')", DAY),
    ("pd.to_datetime(trips['day'], format='mixed')", DAY),
    ("pd.to_datetime(trips['begins'], format='mixed')", DAY.replace("day`", "begins`", 1)),
    # answers that are neither
    ("users[~users['active']]", ACTIVE),
    ("users[users['active'] == False]", ACTIVE),
    ("users['active'].sum()", ACTIVE),
    ("users[users['active']]", ACTIVE),
    ("users.active.mean()", ACTIVE),
    ("(users['paid'] == False).sum()", PAID),
    ("users['paid'].sum()", PAID),
    # long whole numbers
    ("ids['long'].astype(float)", LONG),
    ("ids['long'].astype('float64')", LONG),
    ("ids.astype({'long': np.float64})", LONG),
    ("pd.to_numeric(ids['text'])", LONG.replace("long`", "text`", 1)),
    ("ids['whole'].astype(float)", LONG.replace("long`", "whole`", 1)),
]


@pytest.mark.parametrize(("code", "note"), TOLD)
def test_what_is_told(code: str, note: str) -> None:
    found = data_notes(code, namespace())
    assert note in [finding.message for finding in found], found
    assert {(finding.kind, finding.severity) for finding in found} == {("data", "note")}
    assert all(finding.line and finding.name for finding in found)
    assert len(found) == 1, found


UNTOLD = [
    # missing values that are few, filled, dropped, asked for, or in no statistic
    "people['rare'].mean()",
    "people['fare'].mean()",
    "people['Age'].fillna(0).mean()",
    "people['Age'].dropna().mean()",
    "people.dropna(subset=['Age'])['Age'].mean()",
    "people['Age'].isna().sum()",
    "people['Age'].notna().mean()",
    "people['Age'].mean(skipna=False)",
    "people['Age'] = people['Age'].fillna(0)\npeople['Age'].mean()",
    "people['Age'].fillna(0, inplace=True)\npeople['Age'].mean()",
    "people = people.dropna()\npeople['Age'].mean()",
    "people[people['Age'].notna()]['Age'].mean()",
    "people[people['Age'] > 30]['Age'].mean()",
    "people.groupby('Deck', dropna=False)['fare'].sum()",
    "people['Deck'].value_counts(dropna=False)",
    "people.groupby('sex')['fare'].sum()",
    "people.groupby('sex')['Age'].size()",
    "people.groupby('sex').agg({'fare': 'sum'})",
    "people['Age'] = people['Age'].fillna(people['Age'].median())",
    "print(people['Age'].isna().sum())\npeople['Age'].mean()",
    "people['Age'].max()",
    "people['Age'].head()",
    "people.describe()",
    "people.count()",
    "people.isna().sum()",
    "people[people['Age'].apply(str) == 'x']['Age'].mean()",
    "def f(people):\n    return people['Age'].mean()",
    # duplicates
    "emp.drop_duplicates()['pay'].sum()",
    "emp = emp.drop_duplicates()\nemp['pay'].sum()",
    "emp['pay'].max()",
    "emp.head()",
    "emp.duplicated().sum()",
    "emp[emp['id'] > 5]['pay'].sum()",
    "emp['id'] = range(22)\nemp['pay'].sum()",
    "clean['pay'].sum()",
    "dice['one'].sum()",
    "emp['team'].nunique()",
    # texts
    "shop.sort_values('item')",
    "shop.sort_values('year')",
    "shop.sort_values('size')",
    "shop['year'].max()",
    "shop[shop['year'] > '2019']",
    "shop[shop['year'] == '2020']",
    "shop['word'].sum()",
    "shop.sort_values('real')",
    "shop['price'].str.replace(',', '').astype(float).sum()",
    "shop['price'] = shop['price'].str.replace(',', '').astype(int)\nshop.sort_values('price')",
    "shop.sort_values('price', key=lambda s: s.str.replace(',', '').astype(int))",
    "shop['item'].value_counts()",
    "shop['price'].map(len).max()",
    # joins
    "a.merge(c, on='id')",
    "c.merge(b, on='id')",
    "a.merge(b.drop_duplicates('id'), on='id')",
    "a.merge(b, on='id', validate='m:1')",
    "a.drop_duplicates('id').merge(b, on='id')",
    "b['id'] = [1, 2, 3]\na.merge(b, on='id')",
    "a.merge(b, how='cross')",
    "a.merge(b[b['w'] > 0], on='id')",
    "a.join(c.set_index('id'), on='id', rsuffix='_c')",
    "a.join(c, rsuffix='_c')",
    # dates
    "pd.to_datetime(trips['when'], dayfirst=True)",
    "pd.to_datetime(trips['when'], format='%d/%m/%Y')",
    "pd.to_datetime(trips['usual'])",
    "pd.to_datetime(trips['iso'])",
    "pd.to_datetime(trips['same'])",
    "pd.to_datetime(trips['begins'])",
    "trips['when'].value_counts()",
    # answers
    "users[~users['known']]",
    "users['known'].sum()",
    "users['active'].fillna(False).sum()",
    "users[users['active'].fillna(False)]",
    "users['active'].value_counts(dropna=False)",
    "users['active'].isna().sum()",
    "users[users['n'] > 2]",
    # whole numbers
    "ids['short'].astype(float)",
    "ids['round'].astype(float)",
    "ids['long'].astype(str)",
    "ids['long'].astype('Int64')",
    "pd.to_numeric(ids['whole'])",
    "ids['long'].sum()",
    # nothing
    "",
    "1 +",
    "x = 3",
    "print('people')",
    "unknown['Age'].mean()",
]


@pytest.mark.parametrize("code", UNTOLD)
def test_what_is_not_told(code: str) -> None:
    assert data_notes(code, namespace()) == []


def test_there_are_more_cases_of_what_must_not_be_told() -> None:
    assert len(set(UNTOLD)) >= len(set(TOLD))


def test_notes_are_few_each_once_and_in_order() -> None:
    code = (
        "people['Age'].mean()\npeople['Age'].sum()\nemp.groupby('team').size()\nshop.sort_values('price')\na.merge(b)"
    )
    assert [(f.line, f.message) for f in data_notes(code, namespace())] == [
        (1, AGE),
        (3, TWICE),
        (4, SORTED),
        (5, MANY.format(6)),
    ]
    wide = pd.DataFrame({f"c{i}": [1.0, None] for i in range(50)})
    assert 0 < len(data_notes("wide.mean()", {"wide": wide})) <= 3


keys = st.lists(st.sampled_from([1, 2, 3, None]), min_size=1, max_size=6)


@settings(max_examples=examples(60), deadline=None)
@given(keys, keys, st.sampled_from(["inner", "left", "right", "outer"]), st.booleans())
def test_rows_that_multiply_are_counted_as_pandas_makes_them(
    left: list[Any], right: list[Any], how: str, named: bool
) -> None:
    one, other = (
        pd.DataFrame({"k": pd.Series([f"k{k}" if named and k else k for k in keys], dtype=object if named else float)})
        for keys in (left, right)
    )
    one["m"] = other["m"] = 1
    names = {"one": one, "other": other}
    for by in ("'k'", "['k', 'm']"):
        code = f"one.merge(other, on={by}, how={how!r})"
        found = data_notes(code, names)
        made = len(eval(code, dict(names)))
        if set(one["k"][one["k"].duplicated()]) & set(other["k"][other["k"].duplicated()]):
            (note,) = found
            assert f"({len(one)} -> {made})" in note.message
        elif not (one["k"].isna().sum() > 1 and other["k"].isna().sum() > 1):
            assert found == []


conditions = st.sampled_from(["t['a'] > 1", "t['a'] == 2", "t['s'] == 'x'", "t.s.isin(['x', 'y'])", "t['a'].notna()",
                              "~(t['a'] <= 2)", "t['s'] != 'x'", "t['b']", "~t['b']", "t['s'].isna()"])  # fmt: skip


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([1.0, 2.0, 3.0, None]), st.sampled_from(["x", "y", None]), st.booleans()), min_size=1
    ),
    conditions,
    conditions,
    st.sampled_from("&|"),
)
def test_values_left_out_are_counted_as_pandas_chooses_them(rows: list[Any], one: str, other: str, joint: str) -> None:
    table = pd.DataFrame(rows, columns=["a", "s", "b"])
    chosen = f"t[({one}) {joint} ({other})]['a']"
    values = eval(chosen, {"t": table})
    found = [f.message for f in data_notes(f"{chosen}.mean()", {"t": table}) if "missing" in f.message]
    gone = int(values.isna().sum())
    if "a'].notna()" in chosen:
        assert found == []
    elif gone > 0.05 * len(values):
        are = "is" if gone == 1 else "are"
        assert found == [f"{gone} of {len(values)} values of `a` {are} missing and left out."]
    else:
        assert found == []


def test_large_tables_are_sampled_and_quick() -> None:
    n = 2_000_000
    big = pd.DataFrame({"x": np.where(np.arange(n) % 4 == 0, np.nan, 1.0), "g": np.arange(n) % 7, "k": np.arange(n)})
    texts = pd.DataFrame({"t": [f"{i}" for i in range(300_000)], "g": ["a", None, "c"] * 100_000})
    names = {"big": big, "texts": texts, "pd": pd}
    code = (
        "big.groupby('g')['x'].mean()\nbig[big['k'] > 5]['x'].sum()\nlen(big)\nbig.merge(big, on='g')\n"
        "texts.sort_values('t')\ntexts.groupby('g').size()\ntexts['t'].sum()"
    )
    data_notes(code, names)
    started = time.process_time()
    found = data_notes(code, names)
    assert time.process_time() - started < 0.6
    assert any(f.message.startswith("About 25 % of the values of `x`") for f in found)


class Trap:
    """A value of the user's that must not be asked anything."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("compared")

    def __hash__(self) -> int:
        raise RuntimeError("hashed")

    def __repr__(self) -> str:
        raise RuntimeError("shown")

    __lt__ = __gt__ = __str__ = __bool__ = __float__ = __eq__  # type: ignore[assignment]


def test_nothing_of_the_users_is_run(caplog: pytest.LogCaptureFixture) -> None:
    class Mine(pd.DataFrame):
        def __getitem__(self, key: Any) -> Any:
            raise RuntimeError("asked")

    traps = pd.DataFrame({"x": [Trap(), Trap(), None], "y": [1, 1, None]})
    names = {"traps": traps, "mine": Mine({"x": [1, None]}), "pd": pd, "odd": Trap()}
    code = (
        "traps['x'].sum()\ntraps.sort_values('x')\ntraps[traps['x'] > 3]['y'].mean()\ntraps.merge(traps, on='x')\n"
        "len(traps)\n~traps['x']\ntraps.groupby('x').size()\nmine['x'].mean()\nodd['x'].sum()\ntraps['x'] == True\n"
        "pd.to_datetime(traps['x'])\ntraps['x'].astype(float)\npd.to_numeric(traps['x'])"
    )
    data_notes(code, names)
    assert caplog.records == []


def test_secrets_are_not_quoted() -> None:
    table = pd.DataFrame({"password": ["1,234", "99"], "pin": ["3", "12"]})
    said = " ".join(f.message for f in data_notes("t.sort_values('password')\nt['password'].sum()", {"t": table}))
    assert "1,234" not in said


def test_a_table_of_thousands_of_columns_is_read_once_and_not_for_each_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0
    plain_labels = live.plain_labels

    def counted(labels: list[Any]) -> list[Any] | None:
        nonlocal read
        read += 1
        return plain_labels(labels)

    monkeypatch.setattr(live, "plain_labels", counted)
    wide = pd.DataFrame(np.arange(15_000.0).reshape(3, 5_000)).add_prefix("sensor_")
    wide.loc[0, "sensor_3"] = np.nan
    notes = data_notes("top = wide.columns[wide.mean().idxmax()]\ntop", {"wide": wide})
    assert [note.message for note in notes] == ["1 of 3 values of `sensor_3` is missing and left out."]
    assert read < 50
