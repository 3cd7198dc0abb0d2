"""Of code over tables with odd labels: an error means that it fails, and what works is never mended."""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmos_jupyter.agent.inspection.check import inspect
from llmos_jupyter.agent.mending.mend import mend
from tests.examples import examples

label = st.sampled_from(
    ["'2021'", "2021", "2021.0", "'price'", "'price '", "'price_mean'", "'mean'", "('price', 'mean')", "'shop'",
     "'rank'", "0", "'0'", "'x'"]
)  # fmt: skip
frame = st.sampled_from(["years", "texts", "wide", "stats", "box", "rows", "worded"])


def namespace() -> dict[str, Any]:
    sales = pd.DataFrame({"shop": ["x", "x", "y"], "price": [1.0, 2.0, 3.0], "rank": [1, 2, 3]})
    return {
        "pd": pd,
        "years": pd.DataFrame({"shop": ["a", "b"], 2021: [1, 2], "price ": [3, 4], 0: [1, 1]}),
        "texts": pd.DataFrame({"shop": ["a", "b"], "2021": [1, 2], "\ufeffprice": [3, 4], "0": [1, 1]}),
        "wide": pd.DataFrame([[1.0, 2.0]], columns=[2021.0, 2022.5], index=["2021"]),
        "stats": sales.groupby("shop").agg({"price": ["mean", "max"]}),
        "box": pd.DataFrame({"rank": [2, 1], "size": [3, 4], "count": [3, 4], "shop": ["u", "v"]}),
        "rows": pd.DataFrame({"price": [1, 2]}, index=[2021, 2022]),
        "worded": pd.DataFrame({"price": [1, 2]}, index=["2021", "0"]),
        "sum": 12,
        "max": 3,
    }


@st.composite
def statement(draw: st.DrawFn) -> str:
    t, u, a, b = draw(frame), draw(frame), draw(label), draw(label)
    attribute = draw(st.sampled_from(["rank", "size", "count", "price", "shape", "T", "price_mean"]))
    use = draw(st.sampled_from(["", "()", ".idxmin()", ".sum()", " > 1", "[0]", ".max", ".mean()", " + 1"]))
    return draw(
        st.sampled_from(
            [
                f"{t}[{a}]",
                f"{t}[[{a}, {b}]]",
                f"{t}[{a}] = {t}[{b}]",
                f"{t}[{a}] = 1",
                f"{t}.loc[{a}]",
                f"{t}.loc[{a}, {b}]",
                f"{t}.loc[[{a}], [{b}]]",
                f"{t}.loc[:, {a}]",
                f"{t}.loc[{a}] = 1",
                f"{t}.at[{a}, {b}]",
                f"{t}.sort_values({a})",
                f"{t}.sort_values([{a}, {b}])",
                f"{t}.groupby({a}).size()",
                f"{t}.groupby({a})[{b}].first()",
                f"{t}.agg({{{a}: 'count'}})",
                f"{t}.drop(columns={a})",
                f"{t}.nlargest(1, {a})",
                f"{t}.set_index({a}).loc[{b}]",
                f"{t}.reset_index()[{a}]",
                f"{t}.sort_index(ignore_index=True, inplace=True)",
                f"{t}.reset_index(inplace=True)",
                f"{t}.index = {t}.index.astype(str)",
                f"{t}.columns = [str(c) for c in {t}.columns]",
                f"{t} = {u}",
                f"{t} = {u}.groupby('shop').agg({{{a}: ['count', 'first']}})",
                f"{t} = {u}.groupby('shop')[[{a}]].agg(['count', 'mean'])",
                f"{t} = {u}.groupby('shop').agg(['count'])",
                f"{t}.{attribute}{use}",
                f"{t}[{a}].{attribute}{use}",
                "sum([1, 2])",
                "max = len",
                "sum = pd.concat",
                "total = max([1]) + sum([2])",
                f"[{t}[c] for c in [{a}, {b}]]",
                f"k = {a}",
                f"{t}[k]",
                f"if {t}.shape[0] > 1:\n    {t}[{a}]",
            ]
        )
    )


def outcome(code: str) -> str:
    """How the code ends; the message only of an error, for tables may be named in it."""
    names = namespace()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            exec(compile(code, "<candidate>", "exec"), names)
        except Exception as error:  # any at all: it is the outcome
            return f"{type(error).__name__}: {error}"
    return ""


@settings(
    max_examples=examples(500), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
@given(st.lists(statement(), min_size=1, max_size=4))
def test_an_error_fails_and_what_works_is_not_mended(statements: list[str]) -> None:
    code = "\n".join(statements)
    names = namespace()
    findings = inspect(code, names)
    errors = [f for f in findings if f.severity == "error" and f.kind != "undefined-name"]
    mended, repairs = mend(code, findings, names)
    ended = outcome(code)
    if errors:
        assert ended, (code, errors)
    if any(f.kind == "mended" for f in repairs):
        assert ended, (code, mended)
    else:
        assert mended == code
