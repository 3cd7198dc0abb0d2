"""Reading replies, and keeping the user's text from passing for the prompt's own marks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmos_jupyter.agent.context import prompts


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


# What Qwen2.5's tokenizer makes of each: its true number of tokens.
COUNTED = [
    ("Which city has the longest mean trip, and how long is it? Leave out the unpaid trips, please.", 22),
    ("Welche Stadt hat die längste durchschnittliche Fahrt? Unbezahlte bitte weglassen.", 23),
    ("Какой город имеет самую длинную среднюю поездку и какова её длина?", 20),
    ("Ποια πόλη έχει τη μεγαλύτερη μέση διαδρομή και πόσο διαρκεί;", 51),
    ("किस शहर की औसत यात्रा सबसे लंबी है, और वह कितनी लंबी है?", 52),
    ("เมืองใดมีการเดินทางเฉลี่ยนานที่สุด และนานเท่าใด", 23),
    ("أي مدينة لديها أطول رحلة متوسطة، وكم مدتها؟", 19),
    ("哪个城市的平均行程最长，有多长？请排除未付款的行程。", 16),
    ("8374629103847561029384756", 25),
    ("3.14, 2.71, 17.5, 99.01, 4, 8, 15, 16, 23, 42", 45),
    ("\U0001f600\U0001f680\U0001f9ea\U0001f4ca\U0001f525\U0001f4a1\U0001f3af", 7),
]


@given(st.text(max_size=2000))
def test_the_estimate_of_tokens_never_falls_below_a_tenth_of_the_characters(text: str) -> None:
    assert prompts.estimate_tokens(text) >= len(text) / 10


@pytest.mark.parametrize(("text", "tokens"), COUNTED)
def test_the_estimate_of_tokens_is_seldom_too_small_in_any_script(text: str, tokens: int) -> None:
    assert 0.9 * tokens <= prompts.estimate_tokens(text) <= 4 * tokens
