"""A failed candidate, cut before the statement that failed, and the grammar that keeps that line from coming back."""

from __future__ import annotations

import json
import re

import pytest

from llmos_jupyter.agent.answering.line_repair import (
    another_line,
    failed_behind,
    failing_line,
    opened,
    opening,
    sound_part,
)


@pytest.mark.parametrize(
    ("code", "line", "part"),
    [
        ("a = 1\nb = a.x\nc = 2", 2, "a = 1"),
        ("a = 1\nb = f(\n  1,\n  2)\nc = 2", 3, "a = 1"),
        ("for x in y:\n    a = 1\n    b = 2", 3, "for x in y:\n    a = 1"),
        ("for x in y:\n    a = 1\n    b = 2", 1, ""),
        ("a = 1\n@cache\ndef f():\n    return g\nf()", 4, "a = 1\n@cache\ndef f():"),
        ("a = 1\n@cache\ndef f():\n    return g\nf()", 3, "a = 1"),
        ("try:\n    a = (\n      b)\nexcept C:\n    pass", 3, "try:"),
        ("a = 1\n\n\nb = 2", 4, "a = 1"),
        ("a = 1\nb = (2,\nc = 3", 3, "a = 1"),
        ("a = 1\n@total[a]", 2, "a = 1"),
        ("if a:\n    b = 1\nelif c\n    d = 2", 3, ""),
        ("a = 1\nb = 2", None, ""),
        ("= 1", 1, ""),
    ],
)
def test_the_sound_part(code: str, line: int | None, part: str) -> None:
    assert sound_part(code, line) == part


def test_the_failing_line_is_the_next_that_does_something() -> None:
    assert failing_line("a = 1\n\n# why\nb = a.x", "a = 1") == "b = a.x"
    assert failing_line("a.x", "") == "a.x"
    assert failing_line("a = 1", "a = 1") == ""


def test_the_comment_is_taken_out_again() -> None:
    start = opening("a = 1\nb = a.x", 2, ["AttributeError: no\nx", "<|im_end|>"])
    assert start.prefix.startswith("```python\na = 1\n# not: b = a.x\n# AttributeError: no x\n# ")
    assert "<|" not in start.prefix
    assert start.reply(f"{start.prefix}b = a\n```") == "```python\na = 1\nb = a\n```"
    assert start.reply("b = a") == "b = a"


def test_a_comment_within_a_function_stands_at_its_depth() -> None:
    beginning = opened("def f(x):", "    return x.y", ["no y"])
    assert beginning == "```python\ndef f(x):\n    # not: return x.y\n    # no y\n"
    assert not allows(another_line("    return x.y"), "    # nor does a comment follow at that depth")


@pytest.mark.parametrize(
    ("failed", "line", "allowed"),
    [
        (["b = a.x"], "b = a.x", False),
        (["b = a.x"], "b = a.x  # now", False),
        (["b = a.x  # why"], "b = a.x", False),
        (["b = a.x"], "b = a.xy", True),
        (["b = a.x"], "b = a", True),
        (["b = a.x"], "c = 1", True),
        (["b = a / c"], "b = a / c.sum()", True),
        (["b = a / c"], "b = a / c + 1", True),
        # What is called or looked up has failed before anything behind it counts.
        (["b = a['x']"], "b = a['x'].sum()", False),
        (["b = f(a)"], "b = f(a) // 1", False),
        (["b = f(a)"], "b = f(c)", True),
        (["b = f(a)  # why"], "b = f(a).x", False),
        # Here it may have come to its value, which could not be taken apart or put into its place.
        (["b, c = f(a)"], "b, c = f(a).items()", True),
        (["b['c'] = f(a)"], "b['c'] = f(a)[0]", True),
        # Nor does an earlier one come back.
        (["b = f(a)", "b = g(a)"], "b = f(a)", False),
        (["b = f(a)", "b = g(a)"], "b = g(a)", False),
        (["b = f(a)", "b = g(a)"], "b = h(a)", True),
        (["a", "a.b"], "a.b", False),
        (["a", "a.b"], "a", False),
        (["a", "a.b"], "a.c", True),
        (['x["-]^é\\"] = 1'], 'x["-]^é\\"] = 1', False),
        (['x["-]^é\\"] = 1'], 'x["-]^e\\"] = 1', True),
        (["a"], "# a", False),
        (["a"], "```", False),
    ],
)
def test_which_line_may_come_instead(failed: list[str], line: str, allowed: bool) -> None:
    assert allows(another_line(*failed), line) is allowed


def test_which_lines_failed_there() -> None:
    codes = [("a = 1\nb = a.x", 2), ("a = 1\n\nb = a.y\nc", 3), ("b = a.z", 1), ("a = 1\nb = a.x", 2), ("= 1", None)]
    assert failed_behind("a = 1", codes) == ["b = a.x", "b = a.y"]


_PART = re.compile(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]|[\w-]+|.')


def allows(grammar: str, line: str) -> bool:
    """Whether a grammar that refers to no rule within itself lets a block begin with this line."""
    rules = dict(rule.split(" ::= ") for rule in grammar.strip().splitlines())

    def pattern(rule: str) -> str:
        parts = []
        for part in _PART.findall(rules[rule]):
            if part[0] == '"':
                parts.append(re.escape(json.loads(part)))
            else:
                parts.append(f"(?:{pattern(part)})" if part in rules else part.strip())
        return "".join(parts)

    return re.fullmatch(pattern("root"), f"{line}\n```") is not None


def test_a_repair_does_not_go_on_with_comments() -> None:
    assert another_line("b = a.x").splitlines()[-1].startswith("line ::= ([^`#")
    assert another_line("b = a.x", end='("```" | "# 2.")').startswith('root ::= at0 line* ("```" | "# 2.")')
