"""Reading replies, and keeping the user's text from passing for the prompt's own marks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos_jupyter.agent import prompts


@pytest.mark.parametrize(
    ("text", "kind", "code", "complete"),
    [
        ("```python\nx = 1\nx\n```", "code", "x = 1\nx", True),
        ("  ```python\nx\n```\n", "code", "x", True),
        ("```\nx\n```", "code", "x", True),
        ("```py\nx\n```\nThis shows x.", "code", "x", True),
        ("```python\nprint('half", "code", "print('half", False),
        ("```python\n", "nothing", "", False),
        ("```python\n```", "nothing", "", True),
        ("```", "nothing", "", False),
        ("", "nothing", "", True),
        (" \n\t", "nothing", "", True),
        ("The mean is 3.", "words", "The mean is 3.", True),
        ("Use this:\n```python\nimport os\n```", "words", "Use this:\n```python\nimport os\n```", True),
        ("```sql\nSELECT 1\n```", "words", "```sql\nSELECT 1\n```", True),
        ('```python\ns = """\na ``` b\n"""\n```', "code", 's = """\na ``` b\n"""', True),
    ],
)
def test_a_reply_is_code_only_if_it_begins_with_a_block(text: str, kind: str, code: str, complete: bool) -> None:
    reply = prompts.read_reply(text)
    assert (reply.kind, reply.text, reply.complete) == (kind, code, complete)


@given(st.text(alphabet="`python\n x=1", max_size=60))
def test_any_reply_can_be_read(text: str) -> None:
    reply = prompts.read_reply(text)
    assert (reply.kind == "nothing") == (reply.text == "")


@given(st.text(alphabet="<|>im_end\n ", max_size=60))
def test_no_text_of_the_user_can_end_a_message(text: str) -> None:
    content = prompts.request_message(text, text).content
    assert "<|" not in content
    assert "|>" not in content


def test_the_request_stands_last_so_that_what_is_before_it_can_be_cached() -> None:
    assert prompts.request_message("df: DataFrame", "the mean").content == "df: DataFrame\n\nRequest: the mean"
    assert prompts.request_message("", "the mean").content == "Request: the mean"


@given(st.text(max_size=2000))
def test_the_estimate_of_tokens_never_falls_below_a_quarter_of_the_characters(text: str) -> None:
    assert prompts.estimate_tokens(text) >= len(text) / 4
