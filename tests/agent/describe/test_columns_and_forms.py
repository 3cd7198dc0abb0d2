"""Tables as people have them: wide, oddly named, badly read, with numbers and dates as text."""

from __future__ import annotations

import io
import re
import time
import types
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

from llmos_jupyter.agent.context.notebook_context import NotebookContext
from llmos_jupyter.agent.describe.labels import label_notes, wrong_separator
from llmos_jupyter.agent.describe.text_forms import text_form
from llmos_jupyter.agent.describe.variables import describe_columns, describe_variable


def describe(value: object, name: str = "v", **options: Any) -> str:
    return describe_variable(name, value, **{"max_chars": 900, **options})


def line(frame: pd.DataFrame, column: str) -> str:
    """The line of one column, as it is whatever pandas calls its texts."""
    found = next(each for each in describe(frame, max_chars=2000).split("\n") if each.startswith(f"  {column}: "))
    return re.sub(r"^  \w+: (str|object), ", "", found)


@pytest.fixture(scope="module")
def wide() -> pd.DataFrame:
    frame = pd.DataFrame(np.zeros((20, 5000)), columns=[f"sensor_{i:04d}" for i in range(5000)])
    frame.insert(2500, "outdoor_temperature", np.linspace(-3, 30, 20))
    return frame


# --- the request ---------------------------------------------------------------------------------


def test_the_columns_of_the_request_come_first(wide: pd.DataFrame) -> None:
    lines = describe(wide, request="mean of outdoor_temperature in wide").split("\n")
    assert lines[1:] == [
        "  outdoor_temperature: float64, -3.0 .. 30.0",
        "  others: sensor_0000 .. sensor_4999 (5000 float64)",
    ]
    lines = describe(wide, request="plot sensor_4321").split("\n")
    assert lines[1:] == [
        "  sensor_4321: float64, 0.0 .. 0.0",
        "  others: sensor_0000 .. sensor_4999 (4999 float64), outdoor_temperature float64",
    ]


def test_without_a_request_the_odd_one_out_is_seen(wide: pd.DataFrame) -> None:
    assert describe(wide).split("\n")[1:] == [
        "  columns: sensor_0000 .. sensor_4999 (5000 float64), outdoor_temperature float64"
    ]
    assert describe(wide) == describe(wide, request="hello")


def test_twenty_of_five_thousand_in_time(wide: pd.DataFrame) -> None:
    picked = [f"sensor_{i:04d}" for i in range(100, 4000, 195)][:20]
    start = time.process_time()
    text = describe(wide, request=f"correlate {', '.join(picked)}")
    assert time.process_time() - start < 2
    assert len(text) <= 900
    assert all(f"\n  {name}: float64" in text for name in picked)


@pytest.mark.parametrize("room", [1, 40, 80, 120, 200, 400, 900])
def test_the_bound_holds_with_a_request(wide: pd.DataFrame, room: int) -> None:
    assert len(describe(wide, max_chars=room, request="sensor_0001 sensor_0002 outdoor temperature")) <= room
    columns = describe_columns("wide", wide, "sensor_0001 sensor_0002 outdoor temperature", max_chars=room)
    assert len(columns) <= room


def test_a_narrow_table_is_told_alike_whatever_the_request() -> None:
    frame = pd.DataFrame({"a": range(9), "b": range(9)})
    assert describe(frame, request="the mean of b") == describe(frame)


def test_columns_that_were_told_are_not_told_again(wide: pd.DataFrame) -> None:
    first = describe_columns("wide", wide, "plot sensor_4321")
    assert first == "wide, columns of this request:\n  sensor_4321: float64, 0.0 .. 0.0"
    assert describe_columns("wide", wide, "plot sensor_4321 again", told=first) == ""
    assert "sensor_0001" in describe_columns("wide", wide, "sensor_4321 and sensor_0001", told=first)
    assert describe_columns("x", [1, 2], "x") == ""


def test_secrets_of_columns_stay_secret() -> None:
    frame = pd.DataFrame(np.zeros((3, 200)), columns=[f"c{i}" for i in range(200)])
    frame["password"] = ["swordfish", "a", "b"]
    frame["pin_password"] = [4711, 4712, 4711]
    for text in (
        describe(frame, request="password pin_password"),
        describe_columns("df", frame, "password and pin_password"),
        describe(frame[["pin_password"]].set_index("pin_password")),
        describe(frame.set_index(["password", "pin_password"])),
        describe(pd.DataFrame({"password": [[4711], [1]], "x": [1, 2]})),
        describe(pd.DataFrame({"password": ["28/04/2025", "01/02/2025"]})),
        describe(pd.DataFrame({"password": [4711, 2, 3, 4, 5, 6, 7], "x": range(7), "y": range(7)})),
    ):
        assert "swordfish" not in text
        assert "471" not in text
        assert "28/04" not in text


def test_one_hot_columns_are_told_by_how_they_begin() -> None:
    frame = pd.get_dummies(pd.DataFrame({"city": [f"{chr(65 + i)}town" for i in range(26)] * 3}))
    frame.insert(0, "age", range(len(frame)))
    assert "(26 bool that begin with city_)" in describe(frame, max_chars=300)


# --- names ---------------------------------------------------------------------------------------


def test_multiindex_columns_and_index() -> None:
    frame = pd.DataFrame({"g": list("aabb"), "h": list("xyxy"), "price": [1.0, 2, 3, 4]})
    table = frame.groupby(["g", "h"]).agg({"price": ["mean", "size"]})
    text = describe(table)
    assert "  column names are tuples (MultiIndex)\n" in text
    assert "  ('price', 'mean'): float64, 1.0 .. 4.0" in text
    assert re.search(r"  index: MultiIndex: g \w+, 2 distinct: 'a', 'b'; h \w+, 2 distinct: 'x', 'y'\n", text)
    table.columns.names = ["what", "how"]
    assert "column names are tuples (MultiIndex, levels what, how)" in describe(table)
    empty = describe(table.iloc[:0])
    assert "MultiIndex: g " in empty


def test_integer_and_mixed_labels() -> None:
    text = describe(pd.DataFrame([[1, 2]], columns=[2021, 2022]))
    assert text.split("\n")[1:] == ["  labels are integers", "  2021: int64, only 1", "  2022: int64, only 2"]
    assert "labels" not in describe(pd.DataFrame([[1, 2]], columns=["2021", "2022"]))
    assert "\n  '2021': int64" in describe(pd.DataFrame([[1, 2]], columns=["2021", "2022"]))
    assert "labels are of int, str" in describe(pd.DataFrame([[1, 2]], columns=[1, "b"]))
    assert "columns: 0 .. 99 (100 float64)" in describe(pd.DataFrame(np.zeros((2, 100))))


def test_odd_labels_are_written_as_in_code() -> None:
    labels = ["", "a\nb", "price", "Price", "price ", "😀", "size", "T"]
    text = describe(pd.DataFrame([range(8)], columns=labels), name="odd")
    assert "names that differ only in case or spaces: price, Price, 'price '" in text
    assert "only as odd['size'], odd['T']" in text
    for written in ("''", "'a\\nb'", "price", "Price", "'price '", "'😀'", "size", "T"):
        assert f"\n  {written}: int64" in text
    twice = describe(pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"]))
    assert "duplicate column names: a" in twice
    assert "duplicate column names: 7" in describe(pd.DataFrame([[1, 2]], columns=[7, 7]))


def test_names_of_builtins_are_noted() -> None:
    assert describe(12, name="sum") == "sum: int 12 (hides the builtin sum)"
    assert describe([1], name="list").endswith("[1] (hides the builtin list)")
    assert describe(pd.DataFrame({"a": [1]}), name="max").split("\n")[0].endswith("columns (hides the builtin max)")
    assert "hides" not in describe(1, name="total")
    assert len(describe([1] * 100, name="list", max_chars=60)) <= 60


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("a;b\n1;2\n3;4\n", "sep=';'"),
        ("datum;wert\n28.04.2025;3,5\n29.04.2025;4,5\n", "sep=';', decimal=','"),
        ("datum;wert;ort\n28.04.2025;3,5;Wien\n29.04.2025;4,5;Graz\n", "sep=';', decimal=','"),
        ("a\tb\n1\t2\n", r"sep='\t'"),
    ],
)
def test_a_file_read_with_the_wrong_separator(source: str, hint: str) -> None:
    text = describe(pd.read_csv(io.StringIO(source)))
    assert f"probably read with the wrong separator: {hint}\n" in text
    frame = pd.read_csv(io.StringIO(source))
    marked = describe(frame.rename(columns=lambda name: "\ufeff" + name))
    assert "begins with a byte order mark: read with encoding='utf-8-sig'" in marked
    assert f"separator: {hint}\n" in marked
    assert "'\\ufeff" in marked


def test_a_sign_in_a_name_is_not_yet_a_wrong_separator() -> None:
    assert "separator" not in describe(pd.DataFrame({"a|b": [1, 2]}))
    assert "separator" not in describe(pd.DataFrame({"a;b": ["x", "y"], "c": [1, 2]}))


# --- values --------------------------------------------------------------------------------------


def test_few_values_are_all_told() -> None:
    rows = 300
    frame = pd.DataFrame(
        {
            "rating": np.arange(rows) % 5 + 1,
            "part": np.array(["north", "east", "south", "west", "centre", "far"])[np.arange(rows) % 6],
            "long": np.array([f"{'x' * 30}{i}" for i in range(6)])[np.arange(rows) % 6],
            "many": np.arange(rows),
        }
    )
    assert line(frame, "part") == "6 distinct: 'north', 'east', 'south', 'west', 'centre', 'far'"
    assert line(frame, "long").count("'") == 8
    text = describe(frame)
    assert "  rating: int64, only 1, 2, 3, 4, 5\n" in text
    assert "  many: int64, 0 .. 299" in text
    # Of a sample nobody knows whether there are others.
    assert "only" not in describe(pd.DataFrame({"n": np.zeros(5_000_000, dtype=int)}))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1,234", "56", "7,890.50"], "looks like numbers (',' between thousands)"),
        (["1.234,50", "56"], "looks like numbers ('.' between thousands; decimal comma)"),
        (["3,5", "2,75", "10"], "looks like numbers (decimal comma)"),
        (["12 %", "3 %", "7%"], "looks like numbers (unit '%')"),
        (["12 kg", "13 kg", "1.5 kg"], "looks like numbers (unit 'kg')"),
        (["€ 5", "€ 6"], "looks like numbers ('€' before)"),
        (["1", "2.5", "-3", "1e5"], "looks like numbers"),
        ([" 7 ", "8"], "looks like numbers, some with spaces at the ends"),
        (["1", "2", "n/a", "4"], "looks like numbers, except 'n/a'"),
        (["28/04/2025", "03/04/2025"], "looks like dates (day first: 28/04/2025)"),
        (["04/28/2025", "03/04/2025"], "looks like dates (month first: 04/28/2025)"),
        (["28.04.2025", "03.04.2025"], "looks like dates (day first: 28.04.2025)"),
        (["01/02/2025", "03/04/2025"], "looks like dates (day or month first, no value tells)"),
        (["28/04/2025", "04/28/2025"], "looks like dates (day first and month first mixed: 28/04/2025, 04/28/2025)"),
        (["2025-04-28", "2025-01-01T10:00:00Z"], "looks like dates (ISO)"),
        (["2025/4/28", "2025/01/01"], "looks like dates (year first)"),
        (["20250428", "20250101", "20241231"], "looks like dates (YYYYMMDD)"),
        (["12:30", "1:00"], "looks like times"),
        (["01234", "99999"], "digits as text, 5 long"),
        (["12345678901234567890"], "digits as text, 20 long"),
        (["a", "b ", "c"], "some with spaces at the ends"),
        (["a", "", "c"], "some empty"),
        (["a1", "b2"], ""),
        (["1A", "1B", "2A", "2B", "3A", "3B"], ""),
        (["5 g", "3 kg", "7 g", "1 kg"], "looks like numbers (unit 'g', 'kg')"),
        (["12 Main St", "4 High Rd"], ""),
        (["99/99/2025", "45/45/2025"], ""),
        (["x1y2", "12ab34"], ""),
        (["4<|im|>"], ""),
        (["", " "], "some with spaces at the ends, some empty"),
        ([], ""),
    ],
)
def test_what_texts_look_like(values: list[str], expected: str) -> None:
    assert text_form(values) == expected


def test_text_forms_stand_in_the_line() -> None:
    frame = pd.DataFrame(
        {
            "amount": ["1,234", "56", "7,890.50"],
            "id": ["12345678901234567890", "22345678901234567890", "32345678901234567890"],
            "big": [12345678901234567890] * 3,
        }
    )
    assert line(frame, "amount").startswith("3 distinct, looks like numbers (',' between thousands): '1,234', '56'")
    assert "digits as text, 20 long: '12345678901234567890'" in line(frame, "id")
    assert "12345678901234567890" in line(frame, "big")


def test_cells_that_hold_things() -> None:
    frame = pd.DataFrame(
        {
            "l": [["A", "B"], ["C"], ["x", "y", "z"]],
            "d": [{"a": 1}, {"b": 2}, {}],
            "s": [{3, 1}, {2}, None],
            "e": [[], [], []],
            "b": [True, None, False],
        }
    )
    assert line(frame, "l") == "lists of 1 to 3 str: ['A', 'B']"
    assert line(frame, "d") == "dicts with keys 'a', 'b': {'a': 1}"
    assert line(frame, "s") == "1 missing, sets of 1 to 2 int: {1, 3}"
    assert line(frame, "e") == "lists of 0: []"
    assert line(frame, "b") == "1 missing, of bool, 1 True"


def test_rows_are_shown_where_they_cost_little_and_repeat_nothing() -> None:
    frame = pd.DataFrame({"a": range(7), "b": np.arange(7) / 10, "day": pd.date_range("2020", periods=7)})
    assert describe(frame).endswith("\n  first row: (0, 0.0, 2020-01-01)")
    assert "first row" not in describe(frame.head(3))
    assert "first row" not in describe(pd.DataFrame({"a": list("abcdefghij"), "b": list("abcdefghij")}))


@given(st.lists(st.text(st.characters(codec="utf-8")) | st.from_regex(r"[-+]?[$€]?\d{1,4}[.,/:-]?\d*[.,/:-]?\d* ?\w?")))
def test_any_texts_have_a_form_or_none(values: list[str]) -> None:
    text = text_form(list(dict.fromkeys(values)))
    assert "`" not in text
    assert "<|" not in text
    assert "\n" not in text


@settings(deadline=None)
@given(st.lists(st.text() | st.integers() | st.none() | st.tuples(st.text(), st.integers())), st.text())
def test_any_labels_have_notes_and_can_be_asked_for(labels: list[Any], request_: str) -> None:
    for note in [*label_notes(labels, "v", pd.DataFrame), wrong_separator(labels[:1], labels, labels)]:
        assert "\n" not in note
    frame = pd.DataFrame([range(len(labels))], columns=pd.Index(labels, dtype=object))
    text = describe(frame, max_chars=300, request=request_)
    assert text == describe(frame, max_chars=300, request=request_)
    assert text != "v: pandas DataFrame"
    assert len(text) <= 300


def test_an_ordinary_table_costs_little_more_than_its_ranges_and_examples() -> None:
    rows = np.arange(344)
    frame = pd.DataFrame(
        {
            "order_id": rows + 10001,
            "date": pd.date_range("2024-01-01", periods=344),
            "customer": [f"C{i * 7 % 190:04d}" for i in rows],
            "city": np.array(["Berlin", "Paris", "Roma", "Madrid", "Wien", "Oslo", "Lyon", "Porto", "Graz"])[rows % 9],
            "article": np.array(["chair", "table", "lamp", "sofa", "shelf"])[rows % 5],
            "quantity": rows % 11 + 1,
            "unit_price": rows * 1.17 + 5,
            "discount": np.where(rows % 8 == 0, np.nan, rows % 3 / 20),
            "returned": rows % 10 == 0,
            "rating": rows % 5 + 1,
            "channel": pd.Categorical(np.array(["web", "shop", "phone"])[rows % 3]),
            "comment": np.array(["good", "late", "broken on arrival", "ok", "thanks", "never again"])[rows % 6],
        }
    )
    # What was told of it before all of few values were told: 592 characters.
    assert len(describe(frame)) <= 592 * 1.15


# --- the prompt ----------------------------------------------------------------------------------


def ask(context: NotebookContext, request: str, budget: int = 6000) -> str:
    turn = context.compose(request, budget)
    sent = context.prompt(turn)
    context.commit(turn, "```python\n1\n```")
    return sent[-1].content


@pytest.fixture
def shell() -> InteractiveShell:
    return InteractiveShell()


def test_columns_of_a_later_request_are_told_once_and_alone(shell: InteractiveShell, wide: pd.DataFrame) -> None:
    context = NotebookContext(shell)
    shell.user_ns["wide"] = wide
    assert "\n  outdoor_temperature: float64, -3.0 .. 30.0\n" in ask(context, "mean of outdoor_temperature in wide")
    assert ask(context, "its median") == "Request: its median"
    told = ask(context, "the largest of sensor_4321")
    assert told.startswith("wide, columns of this request:\n  sensor_4321: float64, 0.0 .. 0.0\n\n")
    assert "outdoor_temperature:" not in told
    assert "columns of this request" not in ask(context, "sensor_4321 and outdoor_temperature")
    shell.user_ns["wide"] = wide.assign(sensor_0001=7.0)
    # Nothing changed of what is told; a column whose values did is told as it is now.
    assert ask(context, "the largest of sensor_4321?") == "Request: the largest of sensor_4321?"
    shell.user_ns["wide"] = wide.assign(sensor_4321=7.0)
    assert "\n  sensor_4321: float64, 7.0 .. 7.0\n" in ask(context, "the largest of sensor_4321")
    shell.user_ns["wide"] = wide.head(7)
    told = ask(context, "the largest of sensor_4321")
    assert "wide: DataFrame, 7 rows" in told
    assert "\n  sensor_4321: " in told


def test_twenty_columns_are_told_once_however_little_room(shell: InteractiveShell, wide: pd.DataFrame) -> None:
    context = NotebookContext(shell)
    shell.user_ns["wide"] = wide
    picked = [f"sensor_{i:04d}" for i in range(100, 4000, 195)][:20]
    request = f"correlate {', '.join(picked)}"
    assert all(f"\n  {name}: float64" in ask(context, request) for name in picked[:1])
    assert ask(context, request) == f"Request: {request}"
    assert "sensor_0001: float64" in ask(context, "and sensor_0001")
    context = NotebookContext(shell)
    ask(context, "hello")
    assert all(f"\n  {name}: float64" in told for told in [ask(context, request)] for name in picked)
    assert ask(context, request) == f"Request: {request}"


def test_a_table_that_the_request_names_keeps_the_others_quiet(shell: InteractiveShell, wide: pd.DataFrame) -> None:
    context = NotebookContext(shell)
    shell.user_ns["wide"], shell.user_ns["other"] = wide, wide.head(3)
    ask(context, "hello")
    told = ask(context, "sensor_0007 of other")
    assert "other, columns of this request" in told
    assert "wide, columns" not in told


def test_what_the_request_speaks_of_is_told_whole_where_not_all_fits(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmos_jupyter.agent.context.notebook_context.LOOKING", 60)  # the machine may be busy
    context = NotebookContext(shell)
    for number in range(60):
        shell.user_ns[f"frame_{number}"] = pd.DataFrame({f"c{i}_{number}": range(9) for i in range(9)})
    shell.user_ns["sales"] = pd.DataFrame({"revenue": range(9)})
    for number in range(60, 120):
        shell.user_ns[f"frame_{number}"] = pd.DataFrame({f"c{i}_{number}": range(9) for i in range(9)})
    told = ask(context, "the mean of revenue, and frame_3")
    assert "\n  revenue: int64, 0 .. 8\n" in told
    assert "\n  c8_3: int64, 0 .. 8" in told
    # What had no room then is told when it is asked for, and then not again.
    told = ask(context, "and frame_4?")
    assert "\n  c8_4: int64, 0 .. 8" in told
    assert "revenue" not in told
    assert "c8_4" not in ask(context, "and frame_4?")
    assert "c7_5: " in ask(context, "the mean of c7_5")


def test_equal_tables_are_not_told_again(shell: InteractiveShell) -> None:
    context = NotebookContext(shell)
    frame = pd.DataFrame({"when": ["28/04/2025", "01/02/2025"], "tags": [["a"], ["b", "c"]], "ok": [True, None]})
    shell.user_ns["df"] = frame
    ask(context, "the tags")
    shell.user_ns["df"] = frame.copy()
    assert ask(context, "the tags again") == "Request: the tags again"


def test_what_is_named_is_looked_at_even_where_time_runs_out(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = NotebookContext(shell)
    for name in ("old", "middle", "new"):
        shell.user_ns[name] = pd.DataFrame({f"of_{name}": range(9)})
    clock = iter(range(1000))
    slow = types.SimpleNamespace(monotonic=lambda: next(clock) / 4)
    monkeypatch.setattr("llmos_jupyter.agent.context.notebook_context.time", slow)
    told = ask(context, "the mean in old")
    assert "of_old: int64" in told
    assert "of_middle" not in told
