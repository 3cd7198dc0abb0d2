"""What is sent to an engine, and how replies of those that can do less are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from llmos_jupyter.engines import capabilities
from llmos_jupyter.engines.capabilities import LLAMA_CPP, MLX, TABLE, TRANSFORMERS, Capabilities
from llmos_jupyter.engines.continuing import OneBlock, Rest
from llmos_jupyter.engines.openai_http import Server
from llmos_jupyter.protocol import Generation, Message

DEVICES = Path(__file__).parents[2] / "docs" / "devices.md"
ASKED = Generation(
    messages=[Message(role="user", content="add")],
    n=3,
    seed=5,
    grammar="root ::= x",
    prefix="",
    stop=["#"],
)
# What the OpenAI schema of `transformers serve` takes, as far as we could send it.
STANDARD = {"model", "messages", "max_tokens", "temperature", "stream", "stream_options", "seed", "stop"}


def body(engine: Capabilities, asked: Generation = ASKED) -> dict[str, object]:
    return Server("http://127.0.0.1:1", "", engine, model="m").body(asked, 2)


def test_llama_cpp_is_sent_all_that_it_can_do() -> None:
    sent = body(TABLE[LLAMA_CPP])
    assert sent["grammar"] == "root ::= x"
    assert {"id_slot", "cache_prompt", "return_progress", "logprobs", "n", "seed"} <= set(sent)


@pytest.mark.parametrize("engine", [TRANSFORMERS, MLX])
def test_others_are_sent_no_field_that_they_refuse_or_ignore(engine: str) -> None:
    assert set(body(TABLE[engine])) == STANDARD


def test_sampling_is_said_as_each_server_hears_it() -> None:
    warm = ASKED.model_copy(update={"temperature": 0.8})
    assert "generation_config" not in body(TABLE[TRANSFORMERS])
    assert body(TABLE[TRANSFORMERS], warm)["generation_config"] == '{"do_sample": true}'
    assert "generation_config" not in body(TABLE[MLX], warm)


def test_the_plainest_server_is_sent_the_plainest_request() -> None:
    asked = ASKED.model_copy(update={"stop": [], "max_tokens": 0})
    sent = body(Capabilities(), asked)
    assert set(sent) == {"model", "messages", "max_tokens", "temperature", "stream"}
    assert sent["max_tokens"] == 1, "zero tokens are refused by most"


def test_a_beginning_is_gone_on_with_as_each_server_can() -> None:
    asked = ASKED.model_copy(update={"n": 1, "prefix": "```python\nx = 1\n"})
    opened, flags, words = (body(Capabilities(continues=way), asked) for way in ("open", "flags", ""))
    assert opened["messages"][-1]["role"] == "assistant"  # type: ignore[index]
    assert "continue_final_message" not in opened
    assert flags["continue_final_message"] is True
    assert flags["add_generation_prompt"] is False
    assert [message["role"] for message in words["messages"]] == ["user", "assistant", "user"]  # type: ignore[attr-defined]


def in_pieces(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("beginning", "reply", "rest"),
    [
        ("```python\nx = 1\n", "y = 2\n```", "y = 2\n```"),
        ("```python\nx = 1\n", "```python\ny = 2\n```", "y = 2\n```"),  # a fence of its own
        ("```python\nx = 1\n", "```python\nx = 1\ny = 2\n```", "y = 2\n```"),  # all of it once more
        ("```python\nx = 1\n", "x = 1\ny = 2\n```", "y = 2\n```"),
        ("```python\nx = 1\n", "x = 12\n```", "x = 12\n```"),  # only like a repetition
        ("```python\n", "y = 2\n```", "y = 2\n```"),
        ("A median is", " the middle.", " the middle."),
        ("A median is", "A median is the middle.", " the middle."),
        ("```python\nx = 1\n", "```python\nx = 1\n", ""),
        ("```python\nx = 1\n", "x", ""),  # the reply ended in the middle of what looked like a repetition
    ],
)
def test_what_is_repeated_of_a_beginning_is_left_out(beginning: str, reply: str, rest: str, size: int) -> None:
    reading = Rest(beginning)
    assert "".join(map(reading.new, in_pieces(reply, size))) + reading.end() == rest


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(
    ("beginning", "reply", "kept", "closed"),
    [
        ("", "```python\nx = 1\n```\nThis sets x.", "```python\nx = 1\n```", True),
        ("```python\nx = 1\n", "y = 2\n```\nwords", "y = 2\n```", True),
        ("", "Use `x`:\n```python\nx\n```\nas above.", "Use `x`:\n```python\nx\n```\nas above.", False),
        ("", "```python\nprint('''\n``` no end\n''')\n```\n", "```python\nprint('''\n``` no end\n''')\n```", True),
        ("", "```python\nx = 1\n```", "```python\nx = 1\n```", False),  # the stream's own end ends it
    ],
)
def test_without_a_grammar_a_reply_ends_where_its_block_closes(
    beginning: str, reply: str, kept: str, closed: bool, size: int
) -> None:
    block, taken = OneBlock(beginning), ""
    for piece in in_pieces(reply, size):
        taken += block.take(piece)
        if block.closed:
            break
    assert (taken, block.closed) == (kept, closed)


def test_what_an_engine_lacks_is_said_with_what_is_done_instead() -> None:
    assert not capabilities.lacks(TABLE[LLAMA_CPP])
    said = capabilities.lacks(TABLE[TRANSFORMERS])
    assert any("one after the other" in clause for clause in said)
    assert all(":" in clause or "while" in clause for clause in said)


def test_the_page_of_the_docs_holds_the_table() -> None:
    text = DEVICES.read_text(encoding="utf-8")
    table = re.search(r"<!-- capabilities -->\n(.*?)\n<!-- end -->", text, re.DOTALL)
    assert table is not None
    assert table[1] == capabilities.markdown(), "docs/devices.md: python -m llmos_jupyter.engines.capabilities"
