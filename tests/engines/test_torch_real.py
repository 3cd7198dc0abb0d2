"""torch with the real small model, from the very weights that llama.cpp has: the same code, written greedily."""

from __future__ import annotations

import ast
import asyncio
import re
import time
from pathlib import Path

import pytest

from llmos_jupyter.engines import catalogue, download, weights_folder
from llmos_jupyter.engines.selection import Machine
from llmos_jupyter.engines.speaking.capabilities import TRANSFORMERS
from llmos_jupyter.engines.speaking.openai_http import Reply
from llmos_jupyter.engines.starting import placement
from llmos_jupyter.engines.starting.launch import Launch
from llmos_jupyter.engines.starting.supervisor import Supervisor
from llmos_jupyter.protocol import Generation, Message, Token
from tests.conftest import SMALL
from tests.engines import gguf_weights

pytestmark = pytest.mark.model
pytest.importorskip("torch")
pytest.importorskip("gguf")

SYSTEM = Message(role="system", content="Answer with one line of Python in a code block and nothing else.")
ASKED = [
    "the sum of the list xs",
    "the largest value of the dict d",
    "xs sorted backwards",
    "the words of the string text",
    "the squares of 1 to 10 as a list",
    "whether n is even",
    "the first three elements of xs",
    "text in upper case",
    "the mean of column price of the DataFrame df",
    "the rows of df where age is over 30",
    "the number of rows of df",
    "the column names of df",
    "the length of the string text",
    "today's date",
    "a random integer from 1 to 6",
    "the lines of the file notes.txt as a list",
    "the keys of d as a list",
    "xs without duplicates",
    "the absolute value of x",
    "the strings of names joined by commas",
]


def code(text: str) -> str:
    block = re.search(r"```(?:python)?\n(.*?)(?:```|$)", text, re.DOTALL)
    found = block[1] if block else text
    try:
        return ast.unparse(ast.parse(found))
    except SyntaxError:
        return found


async def replies(launch: Launch, log: Path) -> tuple[list[str], list[Reply]]:
    engine = Supervisor(launch, log)
    await engine.start()
    try:
        server = await engine.server()
        texts, ends = [], []
        for request in ASKED:
            asked = Generation(
                messages=[SYSTEM, Message(role="user", content=request)],
                max_tokens=32,  # without a grammar, which torch's engine has not
            )
            text = ""
            async for item in server.stream(asked):
                if isinstance(item, Token):
                    text += item.text
                elif isinstance(item, Reply):
                    ends.append(item)
            texts.append(code(text))
        return texts, ends
    finally:
        await engine.stop()


def test_torch_writes_the_code_that_llama_cpp_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights_folder, "engine_for", lambda weights: TRANSFORMERS)
    model = catalogue.resolve(SMALL)
    path = download.ensure(model)
    folder = gguf_weights.unpack(path, tmp_path / "small")
    machine = Machine.here()
    monkeypatch.setenv("LLMOS_DATA_DIR", str(tmp_path / "data"))
    own, ends = asyncio.run(replies(placement.launch(model, path, machine, 2, 2048), tmp_path / "llama.log"))
    named = catalogue.resolve(str(folder))
    began = time.monotonic()
    launch = placement.launch_folder(named, weights_folder.read(folder), machine, 2048)
    torch, torch_ends = asyncio.run(replies(launch, tmp_path / "torch.log"))
    took = time.monotonic() - began
    for name, found in (("llama.cpp", ends), ("torch", torch_ends)):
        seconds = sum(reply.timings.decode_ms for reply in found) / 1000
        print(f"{name}: {sum(reply.timings.tokens for reply in found) / max(seconds, 1e-9):.1f} tokens/s written")
    print(f"torch: {took:.0f} s with its load")
    same = [mine == other for mine, other in zip(own, torch, strict=True)]
    other = [pair for pair, equal in zip(zip(own, torch, strict=True), same, strict=True) if not equal]
    assert sum(same) >= 18, other
