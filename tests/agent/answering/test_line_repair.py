"""A failed candidate, cut before the statement that failed, and the grammar that keeps that line from coming back."""

from __future__ import annotations

import pytest

from llmos_jupyter.agent.answering.line_repair import another_line, failing_line, opened, sound_part, without


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
    beginning = opened("a = 1", "b = a.x", ["AttributeError: no\nx", "<|im_end|>"])
    assert beginning.startswith("```python\na = 1\n# not: b = a.x\n# AttributeError: no x\n# ")
    assert "<|" not in beginning
    assert without(f"{beginning}b = a\n```", beginning, "a = 1") == "```python\na = 1\nb = a\n```"
    assert without("b = a", beginning, "a = 1") == "b = a"


def test_a_comment_within_a_function_stands_at_its_depth() -> None:
    beginning = opened("def f(x):", "    return x.y", ["no y"])
    assert beginning == "```python\ndef f(x):\n    # not: return x.y\n    # no y\n"
    first = next(line for line in another_line("    return x.y").splitlines() if line.startswith("first"))
    assert "[^r`#\\n]" in first  # nor does a comment follow at that depth


def test_the_grammar_names_every_character_of_the_line() -> None:
    grammar = another_line('x["-]^é\\"] = 1')
    first = next(line for line in grammar.splitlines() if line.startswith("first"))
    assert first.count("|") == len('x["-]^é\\"] = 1')
    # Behind the whole line something other than a comment must come.
    assert '" "* [^ #\\n] [^\\n]* "\\n"' in first
    assert "[^x`#\\n]" in first
    assert '"é"' in first


def test_a_repair_does_not_go_on_with_comments() -> None:
    assert another_line("b = a.x").splitlines()[-1].startswith("line ::= ([^`#")
    assert another_line("b = a.x", '("```" | "# 2.")').startswith('root ::= first line* ("```" | "# 2.")')
