"""What the usual exceptions of data code mean, and how it is written instead, in a sentence for the model.

The message alone makes a small model write the same again: it says what Python saw, not what to write.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class _Remedy(NamedTuple):
    """What a message that matches `pattern` calls for: a sentence, or a clause that examples follow. `example`: how a
    table is written, `of_array`: an array, which has no columns."""

    pattern: str
    advice: str
    example: str = ""
    of_array: str = ""


_REMEDIES = (
    _Remedy(
        r"truth value of (?:a|an) .* is ambiguous",
        "Do not use `if`, `and`, `or` with all values at once, but a mask",
        "`{name}[({name}[{column}] >= 1) & ...]` selects, `({name}[{column}] >= 1).sum()` counts, "
        "`np.select([condition, other condition], ['x', 'y'], default='z')` chooses.",
        "`{name}[{name} >= 1]` selects, `({name} >= 1).sum()` counts.",
    ),
    _Remedy(
        r"Can only use \.dt accessor", "Convert the column to dates first", "`pd.to_datetime({name}[{column}]).dt`."
    ),
    _Remedy(r"Can only use \.str accessor", "The column holds no text: leave out `.str`, or use `.astype(str).str`."),
    _Remedy(
        r"could not convert string to float|invalid literal for int|Unable to parse string|cannot be converted to",
        "There is text among the values: clean it first, as with `.str.replace(',', '').astype(float)`, or use the "
        "columns of numbers only.",
    ),
    _Remedy(
        r"unsupported operand type\(s\) for [-+*/].*'str'|can only concatenate str|"
        r"not supported between instances of 'str'",
        "The values are text: convert them first, dates with `pd.to_datetime`, numbers with `.astype(float)`.",
    ),
    _Remedy(r"contains NaN|Input .* NaN", "Leave out the rows with missing values first", "`{name}.dropna()`."),
    _Remedy(
        r"Expected 2D array, got 1D", "The inputs of a model are a table", "`{name}[[{column}]]`, with two brackets."
    ),
    _Remedy(
        r"Invalid format specifier", "Braces of an f-string that hold no value are doubled, as in f\"{{'a'= {x}}}\"."
    ),
    _Remedy(
        r"cannot unpack non-iterable (?:numpy\.)?float",
        "It is one number, not several: give it one name. `scipy.stats.pearsonr(x, y)` gives a correlation and its "
        "p-value.",
    ),
    _Remedy(
        r"(?:not enough|too many) values to unpack",
        "A loop over a table gives its column names, over a dict its keys: use `.itertuples(index=False)` or "
        "`.items()`.",
    ),
    _Remedy(
        r"string indices must be integers",
        "A loop over a table gives its column names, over a dict its keys: use whole columns, or `.items()`.",
    ),
    _Remedy(r"list indices must be integers or slices, not str", "It is a list: `[item['x'] for item in items]`."),
    _Remedy(
        r"agg function failed|Could not convert .* to numeric|does not support (?:reduction|operation)|"
        r"Cannot perform reduction|dtype 'str' does not support",
        "Select the columns of numbers before the statistic, or give `numeric_only=True`.",
    ),
    _Remedy(
        r"'Series' object has no attribute '(?:lower|upper|strip|split|replace_all|title|capitalize|startswith|"
        r"endswith|len)'",
        "Text methods of a column stand behind `.str`",
        "`{name}[{column}].str.lower()`.",
    ),
    _Remedy(
        r"'Series' object has no attribute '(?:year|month|day|hour|weekday|day_name|strftime|dayofweek)'",
        "Date parts of a column stand behind `.dt`",
        "`pd.to_datetime({name}[{column}]).dt.month`.",
    ),
    _Remedy(
        r"must have same first dimension|same size|all arrays must be of the same length",
        "Both must have as many values.",
    ),
    _Remedy(r"'.*' object is not callable", "Something that is no function stands before round brackets."),
    _Remedy(
        r"Already tz-aware|tz-naive and tz-aware", "Give both the same time zone, or none: `.dt.tz_localize(None)`."
    ),
    _Remedy(
        r"day is out of range|doesn't match format|time data",
        "The dates are written otherwise: give `dayfirst=True` or their `format`.",
    ),
    _Remedy(r"cannot insert .* already exists", "Give the index another name first, or `reset_index(drop=True)`."),
    _Remedy(r"No objects to concatenate|empty", "Nothing fulfils the condition: look at the real values."),
)


def remedy(message: str, name: str = "", column: str = "") -> str:
    """What to write instead; empty if the message is none of the usual ones.

    `name`: the table or array that the code uses, `column`: one of the table's: models copy an example's names.
    """
    for usual in _REMEDIES:
        if re.search(usual.pattern, message):
            if not usual.example:
                return usual.advice
            example = usual.example if column or "{column}" not in usual.example else usual.of_array
            if not name or not example:
                return f"{usual.advice}."
            return f"{usual.advice}: {example.format(name=name, column=repr(column))}"
    return ""
