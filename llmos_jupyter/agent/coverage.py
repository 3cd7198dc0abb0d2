"""What a request names and a candidate's code does not speak of: a column, a value, a number, a statistic, a plot.

Small models leave out half of a sentence. Each check is of words that must leave a trace in the code, whatever the code
looks like; what is found is a doubt and never an error.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from llmos_jupyter.agent.evidence import Evidence, evidence
from llmos_jupyter.agent.inspection import live
from llmos_jupyter.protocol import NameChange, Shape

# Of a column, the values that are compared with the request's words; of the doubts, those that are told.
DISTINCT = 40
TOLD = 3

# Words of a request, and what of the code answers them.
_WORDS: tuple[tuple[str, str, str], ...] = (
    (r"\bmedians?\b|中位数", r"median|quantile|percentile|describe", "the median"),
    (r"\b(?:mean|average|averages|avg)\b|平均", r"mean|average|avg|describe|rolling|ewm", "the mean"),
    (r"\bstandard deviations?\b|\bstd\b|标准差", r"std|stdev|var|describe|scaler|scale", "the standard deviation"),
    (r"\bvariances?\b|方差", r"var|std", "the variance"),
    (r"\bcorrelat\w+|相关", r"corr|pearson|spearman", "the correlation"),
    (
        r"\b(?:cumulative|running total)\b|累计|累积",
        r"cumsum|cumprod|cummax|cummin|accumulate|expanding|cum",
        "it to be cumulative",
    ),
    (r"\b(?:moving|rolling)\b|移动平均|滑动", r"rolling|convolve|ewm|window|sliding", "a moving window"),
    (
        r"\b(?:unique|distinct)\b|去重",
        r"unique|set|distinct|duplicate|value_counts|counter|groupby|fromkeys",
        "what is distinct",
    ),
    (r"\bduplicate\w*|重复", r"duplicate|unique|set|counter|count|groupby|fromkeys", "the duplicates"),
    (
        r"\b(?:missing|null|nan|nans)\b|缺失|空值",
        r"na\b|null|nan|interpolate|ffill|bfill|info|none|dropna|fillna|imput|count",
        "what is missing",
    ),
    (
        r"\bround(?:ed)?\b|四舍五入|保留\w*位小数",
        r"round|format|int\b|astype|rint|floor|ceil|decimals",
        "it to be rounded",
    ),
    (
        r"\b(?:sort|sorted|ordered by|order by)\b|排序",
        r"sort|nlargest|nsmallest|most_common|order|rank|value_counts",
        "it to be sorted",
    ),
    (r"\bhistograms?\b|直方图", r"hist|bar|stairs", "a histogram"),
    (r"\bscatter\w*|散点", r"scatter|plot", "a scatter plot"),
    (r"\bbar (?:chart|plot|graph)s?\b|\bbars\b|柱状|条形", r"bar", "bars"),
    (r"\bpie\b|饼图", r"pie", "a pie"),
    (r"\bbox ?plots?\b|箱线", r"box", "a box plot"),
    (r"\bheat ?maps?\b|热力图|热图", r"imshow|heatmap|pcolor|matshow", "a heat map"),
    (r"\bcount\b|计数|统计", r"count|len|size|sum|nunique|shape|describe|hist", "a count"),
    (r"\blower[ -]?case|小写", r"lower|casefold", "lower case"),
    (r"\bupper[ -]?case|\bcapitals?\b|大写", r"upper|title|capital", "capitals"),
    (
        r"\b(?:per|by|each|every|in each) month\b|每月|每个月|按月",
        r"month|period|resample|strftime|grouper|%m|:7|freq",
        "the months",
    ),
    (
        r"\b(?:per|by|each|every|in each) year\b|每年|按年",
        r"year|period|resample|strftime|grouper|%y|:4|freq",
        "the years",
    ),
    (r"\bweekdays?\b|\bday of the week\b|星期|周几", r"day|week|strftime|%a|calendar", "the weekday"),
    (r"\bquarters?\b|季度", r"quarter|\bq|freq|/ ?3|resample", "the quarters"),
    (
        r"\b(?:a|one) column (?:for each|for every|per)\b|每\w{1,4}一列",
        r"pivot|unstack|crosstab|get_dummies|columns",
        "a column for each (`.pivot_table(index=..., columns=..., values=..., aggfunc='sum')`)",
    ),
    (r"\btitled?\b|标题", r"title", "a title"),
    (r"\blegend\b|图例", r"legend|label", "a legend"),
    (r"\blog(?:arithmic)? scale\b|对数坐标", r"log", "a logarithmic scale"),
)
_TOTAL = re.compile(r"\b(?:total|sum|totals|sums)\b|总(?:和|数|额|计)|合计", re.I)
_TOTALLED = re.compile(r"sum|count|len|size|shape|add|reduce|prod|dot|total|agg|cum|pivot", re.I)
_SHARE = re.compile(r"\b(?:percentages?|percent|share|proportion|fraction)\b|百分比|占比|比例", re.I)
_SHARED = re.compile(r"normalize|pct|mean|quantile|percent|ratio|density|accuracy|score", re.I)
_PLOT = re.compile(
    r"\b(?:plot|plots|chart|draw (?:a|an|the|me|it|them|both)|histogram|scatter|graph of|pie|heat ?map|box ?plot)\b|"
    r"画|绘|图表|直方图|散点|折线|柱状|饼图",
    re.I,
)
_WITH_COLUMNS = re.compile(
    r"(?:\b(?:with|has|having) (?:the )?|[,;(:]\s*)columns? (?:named |called |are )?"
    r"((?:\w+(?:\s*,\s*(?:and )?|\s+and\s+))+\w+)(?=\s*(?:[.;:]|,\s*as\b|$))",
    re.I,
)
_AXIS = re.compile(r"\b(?:each|every|per) (?:column|col|row)\b|每(?:一)?[列行]", re.I)
_REDUCING = frozenset(
    ["sum", "mean", "min", "max", "std", "var", "median", "prod", "argmax", "argmin", "nanmean", "ptp"]
)
# "a column total": what follows is a name.
_NAME_FOLLOWS = re.compile(r"\b(?:columns?|called|named|variable|as|into)\s+['\"`]?$", re.I)
_HOW_MANY = re.compile(
    r"\bhow many\b|^\W*(?:and |what is )?(?:the )?(?:total )?number of\b|多少(?:个|条|行|名|人|种|次)|有几", re.I
)
_EACH = re.compile(r"\b(?:each|every|per|by|columns|both|all the|respectively|and how)\b|每|各|分别", re.I)
_LIST = re.compile(r"\b(?:as|in|into) a (?:python |plain |sorted )?list\b|\blist (?:called|named)\b|列表", re.I)
_DICT = re.compile(
    r"\b(?:as|in|into) a (?:python |plain )?dict(?:ionary)?\b|\bdict(?:ionary)? (?:called|named)\b|字典", re.I
)
_COUNTED = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_WORD_NUMBER = re.compile(
    rf"\b(?:top|first|last|bottom|best|worst|least|than|by|every|into)\s+({'|'.join(_COUNTED)})\b", re.I
)
# Not within a name, a date's or a version's part, or an ordinal ("2nd").
_NUMBER = re.compile(r"(?<![\w.])(?<!\d[-/:])(\d+(?:\.\d+)?)(?!\w|\.\d|[-/:]\d)")


_GOES_ON = re.compile(
    r"^\W*(?:and|now|just|only|but|the same|same|with|without|instead|add|make|no|as|bigger|smaller|in|on|use|change)\b"
    r"|^(?:现在|只|改|换|再|加)",
    re.I,
)
_DREW = re.compile(r"\bplt\.|\.plot\b|\.hist\(|\.bar\(|\.scatter\(|\.boxplot\(")


def plot_left_out(request: str, shape: Shape, answers: Sequence[str]) -> list[str]:
    """A request that goes on from a plot, answered without one."""
    if not answers or shape.figures or shape.kind not in ("list", "dict", "table", "column", "nothing"):
        return []
    if _DREW.search(answers[-1]) and _GOES_ON.search(request) and len(request) < 80:
        return ["The last answer was a plot, and the request goes on from it; this draws none: draw it again."]
    return []


def uncovered(request: str, tree: ast.Module, shape: Shape, namespace: Mapping[str, Any]) -> list[str]:
    """Sentences on what the request names and the code or its result lacks; mostly none."""
    if any(isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)) for node in tree.body):
        # What a function does may be said in any words; the request mostly gives examples too.
        return []
    found = evidence(tree, namespace)
    told = [*_columns(request, found, namespace), *_values(request, found, namespace)]
    told += [
        *_axes(request, tree, found, namespace),
        *_words(request, found, namespace),
        *_numbers(request, found, namespace),
        *_kinds(request, shape),
    ]
    return told[:TOLD]


_CHANGE = re.compile(
    r"^(?:(?:and|now|then|also|ok|okay|please)[\s,]+)*(?:fill|replace|rename|drop|remove|delete|convert|add|append|insert|"
    r"strip|clean|turn|change|set|round|lower|capitali[sz]e|double|increase|decrease|reverse|sort|update)\b"
    r"|(?:填充|替换|重命名|删除|去掉|转换|添加|增加|改成|更新)",
    re.I,
)
_NEW = re.compile(
    r"\b(?:call|called|named|copy|new (?:table|list|data ?frame|array|dict)|as|without changing)\b|新的?表|命名|副本",
    re.I,
)


def unchanged(request: str, changes: Iterable[NameChange], namespace: Mapping[str, Any]) -> list[str]:
    """A variable of which the request says what is to be done in it, and which is left as it was."""
    if not _CHANGE.search(request) or _NEW.search(request):
        return []
    touched = {change.name for change in changes if change.kind != "created"}
    for name in re.findall(r"(?:\b(?:in|to|from|of)\s+|[在从给把对向]\s*)([A-Za-z_]\w*)", request):
        value = namespace.get(name)
        if (live.is_frame(value) or type(value) in (list, dict, set)) and name not in touched:
            return [f"The request wants `{name}` changed; it is left as it was."]
    return []


# Verbs of a request after which a variable may change; what only asks, changes nothing.
_MAY_CHANGE = re.compile(
    r"\b(?:fill|replac|renam|drop|remov|delet|convert|add|append|insert|strip|clean|turn|chang|set|round|lower|capitali|"
    r"doubl|increas|decreas|revers|sort|updat|mak|put|assign|creat|comput|calculat|normali|standardi|scal|encod|merg|join|"
    r"new column|column|fix|mov|transform|save|store|call|let|reset|index|in ?place|multipl|divid|subtract|split|parse|"
    r"format|shuffl|label|order|impute|reduc|extend|pop|overwrit|correct|edit|modif|apply|cut|keep|only|without|filter)\w*"
    r"|填|替换|重命名|删|去|转|加|改|更新|清|四舍五入|排序|保留|设|变|列",
    re.I,
)


_ONLY_ASKS = re.compile(
    r"[?？]\s*$|^\W*(?:and\s+|now\s+|then\s+|please\s+)*(?:how|what|which|who|whose|when|where|why|is|are|"
    r"does|do (?:i|we|you|they|any|the)|did|was|were|can you (?:tell|show)|show|list|display|tell|print|describe|"
    r"summari[sz]e|count|find|mean|average|median|total|sum|maximum|minimum|plot|draw)\b|多少|几|哪|谁|吗|什么|^(?:显示|列出|画|求)",
    re.I,
)


def unasked(request: str, changes: Iterable[NameChange], namespace: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A table or list that the code changes, though the request only asks something: what is told, and its name."""
    if _MAY_CHANGE.search(request) or not _ONLY_ASKS.search(request):
        return []
    for change in changes:
        value = namespace.get(change.name)
        held = live.is_frame(value) or live.class_name(type(value)) == "ndarray" or type(value) in (list, dict, set)
        if change.kind in ("rebound", "mutated", "deleted") and held:
            return [(f"The code changes `{change.name}`, which the request only asks about.", change.name)]
    return []


def _columns(request: str, found: Evidence, namespace: Mapping[str, Any]) -> Iterator[str]:
    """Columns that the request names, of tables of which the code uses others."""
    words = [_stem(word) for word in re.findall(r"\w+", request)]
    for name, labels in _tables(found, namespace):
        used = {label for label in labels if _speaks_of(label, found)}
        if not used:
            continue
        for label in labels:
            parts = [_stem(part) for part in re.findall(r"[^\W_]+", label)]
            if label in used or not parts or len("".join(parts)) < 3 or parts == [_stem(name)]:
                continue
            if any(words[at : at + len(parts)] == parts for at in range(len(words))) and not any(
                set(parts) < {_stem(part) for part in re.findall(r"[^\W_]+", other)} for other in used
            ):
                yield f"The request names {label!r}, a column of `{name}`; the code does not use it."


def _values(request: str, found: Evidence, namespace: Mapping[str, Any]) -> Iterator[str]:
    """Values that stand in a column, named like "for the South"."""
    said = " ".join(found.texts).lower()
    for name, labels in _tables(found, namespace):
        for label in labels:
            for value in _distinct(namespace[name], label):
                named = rf"\b(?:in|from|for|of|only|at|on|is|are)\s+(?:the\s+)?{re.escape(value)}(?!\w)"
                if re.search(named, request) and value.lower() not in said:
                    yield f"The request names {value!r}, a value of {label!r}; the code does not select it."


def _words(request: str, found: Evidence, namespace: Mapping[str, Any]) -> Iterator[str]:
    labels = {label.lower() for _, columns in _tables(found, namespace) for label in columns}
    own = labels | {name.lower() for name in namespace if not name.startswith("_")}
    said = found.said + " " + " ".join(found.names & namespace.keys()).lower()
    for words, answers, told in _WORDS:
        if (match := re.search(words, request, re.I)) is None or re.search(answers, said):
            continue
        if told == "the mean" and (found.divides or "sum" in said):
            continue
        if told == "what is missing" and labels and re.search(r"ignor|without|exclud|skip|忽略", request, re.I):
            continue  # pandas leaves out what is missing by itself
        if match[0].lower() not in own and not _NAME_FOLLOWS.search(request[: match.start()]):
            yield f"The request wants {told}; the code has nothing of it."
    match = _TOTAL.search(request)
    if match and _NAME_FOLLOWS.search(request[: match.start()]):
        match = None
    if match and match[0].lower() not in own and not (found.adds or _TOTALLED.search(said)):
        yield f"The request wants the {match[0].lower()}; the code adds nothing up."
    if re.search(r"\d ?(?:%|percent)", request, re.I):
        return
    if (
        (match := _SHARE.search(request))
        and match[0].lower() not in own
        and not (found.divides or _SHARED.search(said))
    ):
        yield f"The request wants a {match[0].lower()}; the code divides nothing."


def _axes(request: str, tree: ast.AST, found: Evidence, namespace: Mapping[str, Any]) -> Iterator[str]:
    """A statistic of each column or row of an array, taken over all of it."""
    wanted = _AXIS.search(request)
    arrays = [n for n in found.names if live.class_name(type(namespace.get(n))) == "ndarray"]
    flat = not arrays or getattr(namespace[arrays[0]], "ndim", 1) < 2
    loops = any(isinstance(node, (ast.For, ast.comprehension)) for node in ast.walk(tree))
    if wanted and not flat and not loops and found.calls & _REDUCING and not found.calls & {"axis", "T"}:
        axis = 0 if re.search(r"col|列", wanted[0], re.I) else 1
        yield f"The request wants it for {wanted[0].lower()}: give `axis={axis}`."


def _numbers(request: str, found: Evidence, namespace: Mapping[str, Any]) -> Iterator[str]:
    for match in [*_NUMBER.finditer(request), *_WORD_NUMBER.finditer(request)]:
        number = float(_COUNTED.get(match[1].lower(), match[1]))
        if number in (0, 1):
            continue
        near = {number, number - 1, number + 1, number / 100, 1 + number / 100, 1 - number / 100, 100 - number,
                round(number / 100, 4), round(1 + number / 100, 4), round(1 - number / 100, 4)}  # fmt: skip
        if not found.numbers & near and not any(match[1] in name for name in found.names | found.texts):
            yield f"The request says {match[1]}; the code does not."


def _kinds(request: str, shape: Shape) -> Iterator[str]:
    if shape.figures == 0 and shape.kind != "other" and _PLOT.search(request):
        yield "The request wants a plot; the code draws none."
    elif asks_how_many(request) and shape.rows > 1:
        yield f"The request asks how many; the result is not a number but has {shape.rows} entries."
    elif shape.kind == "text" and (_HOW_MANY.search(request) or _TOTAL.search(request)):
        yield "The result is text; the request asks for a number: convert the texts to numbers first."
    elif _LIST.search(request) and shape.kind in ("column", "table"):
        yield "The request wants a list: end with `.tolist()`."
    elif _DICT.search(request) and shape.kind in ("column", "table", "list"):
        yield "The request wants a dict: end with `.to_dict()`."


def asks_how_many(request: str) -> bool:
    """Whether one number is asked for."""
    return bool(_HOW_MANY.search(request)) and not _EACH.search(request)


def asked_columns(request: str, shape: Shape) -> list[str]:
    """The columns that the request lists, if the result has others."""
    listed = _WITH_COLUMNS.search(request)
    if shape.kind != "table" or not shape.columns or not listed:
        return []
    wanted = [word for word in re.split(r"\s*(?:,|\band\b|、|和)\s*", listed[1]) if word]
    return wanted if len(wanted) > 1 and set(wanted) != set(shape.columns) else []


def _tables(found: Evidence, namespace: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for name in sorted(found.names):
        value = namespace.get(name)
        if live.is_frame(value) or live.is_polars(value):
            yield name, [label for label in live.column_labels(value) or [] if type(label) is str]


def _distinct(table: Any, label: str) -> list[str]:
    """The few values of a column of words that cannot be taken for any word of a sentence."""
    if not live.is_frame(table):
        return []
    column = table[label]
    if getattr(column, "ndim", 1) != 1 or str(column.dtype) not in ("object", "str", "string", "category"):
        return []
    values = [value for value in column.head(10_000).tolist() if type(value) is str]
    some = set(values)
    if len(some) > DISTINCT:
        return []
    return sorted(value for value in some if len(value) >= 3 and not value.islower())


def _speaks_of(label: str, found: Evidence) -> bool:
    return label in found.calls or any(re.search(rf"(?<!\w){re.escape(label)}(?!\w)", text) for text in found.texts)


def _stem(word: str) -> str:
    word = word.lower()
    return word[:-1] if len(word) > 3 and word.endswith("s") else word
