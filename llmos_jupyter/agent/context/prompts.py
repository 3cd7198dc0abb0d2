"""The words we say to the model, laid out for prefix caching: what never changes comes first."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

from llmos_jupyter.protocol import Message

INSTRUCTIONS = """\
You are the assistant inside a live Python notebook. The variables listed exist already, with real data: use their \
exact names and columns. Never load, invent or re-create data that is listed.
If the user wants something done (compute, select, change, plot, define, fix), reply with one ```python block and \
nothing else. Import what you use. End with the bare expression that shows the result. If the request names the \
result, use that name; if it says in which form to print the answer, print that form with the values filled in.
If the user asks for words (explain, why, what is, which should I, hello), reply in plain sentences, without code."""

_TRIPS = (
    "trips: DataFrame, 60 rows x 3 columns\n  city: str, 3 distinct: 'Ulm', 'Jena', 'Gera'\n"
    "  km: float64, 4 missing, 0.5 .. 93.1\n  paid: bool, 41 True\n\n"
)
# Examples settle the form better than any rule: a printed form that is filled in and not copied; a value with the name
# that the request gives it, one that nobody would choose (of 23 names 1.5B used 18 after `as twice`, all after `as z`);
# words. The form stands first because it is rarer (docs/quality.md).
EXAMPLES = (
    (
        f"{_TRIPS}Request: Which city has the longest mean trip, and how long is it? Leave out unpaid trips.\n"
        'Answer in this form: #longest: city | #mean_km: km where "km" has one decimal',
        "paid = trips[trips['paid']]\nmean_km = paid.groupby('city')['km'].mean()\n"
        'print(f"#longest: {mean_km.idxmax()} | #mean_km: {mean_km.max():.1f}")',
    ),
    (
        f"{_TRIPS}Request: the city with the most trips, as z",
        "z = trips['city'].value_counts().idxmax()\nz",
    ),
    (
        "Request: what is a list comprehension?",
        "A list comprehension builds a list in one expression: it loops over an iterable, keeps the items that pass an "
        "optional condition, and collects the value of an expression for each.",
    ),
)

# A reply is one code block and nothing after it, or words in which no code block stands. The model's first token
# decides; the grammar only keeps it to what it decided, and ends the generation when the block closes.
CODE_LINES = r"""line ::= ([^`\n] [^\n]*)? "\n"
"""
_CODE = 'code ::= "```python\\n" line* "```"\n' + CODE_LINES
GRAMMAR = (
    "root ::= code | words\n"
    + _CODE
    + r"""words ::= [^`\n] ([^`] | "`" [^`])*
"""
)
# A code block whose first line has been written.
_BODY = 'root ::= line* "```"\n' + _CODE
# A repair, and what is compared with code, must be code: an apology helps nobody.
CODE_GRAMMAR = "root ::= code\n" + _CODE


def rest_grammar(grammar: str | None, written: str) -> str | None:
    """What may follow on a reply that was interrupted when so much of it was written.

    `grammar` is one of the two above, or none.
    """
    if grammar is None or not written:
        return grammar
    opened = "```python\n"
    if opened.startswith(written):
        return f'root ::= {json.dumps(opened[len(written) :])} line* "```"\n{_CODE}' if written != opened else _BODY
    if not written.startswith(opened):
        after_tick = '[^`] ([^`] | "`" [^`])*' if written.endswith("`") else '([^`] | "`" [^`])*'
        return f"root ::= {after_tick}\n"
    line = written.rpartition("\n")[2]
    if not line:
        return _BODY
    if line.startswith("`"):
        return f"root ::= {json.dumps('`' * (3 - len(line)))}\n"
    return f'root ::= [^\\n]* "\\n" line* "```"\n{_CODE}'


def opening() -> list[Message]:
    """The part of every prompt that never changes."""
    *tasks, (question, words) = EXAMPLES
    messages = [Message(role="system", content=INSTRUCTIONS)]
    for request, code in tasks:
        messages += [Message(role="user", content=request), Message(role="assistant", content=code_block(code))]
    return [*messages, Message(role="user", content=question), Message(role="assistant", content=words)]


def request_message(notebook: str, request: str) -> Message:
    """What changed in the notebook, then the request."""
    head = f"{notebook.rstrip()}\n\n" if notebook.strip() else ""
    return Message(role="user", content=f"{plain(head)}Request: {plain(request)}")


def minding(request: Message, notes: list[str]) -> Message:
    """The request once more, with what a first try has shown.

    The failed code is not told: shown it, a small model writes it again to the letter (1.5B, 20 tasks: in 9 of
    17 rounds), and what stands behind the request leaves the engine's cache whole.
    """
    lines = [request.content, "", "Mind:", *(f"- {_short(note, 400)}" for note in notes[:6])]
    return request.model_copy(update={"content": plain("\n".join(lines))})


def code_block(code: str) -> str:
    return f"```python\n{code.rstrip()}\n```"


def plain(text: str) -> str:
    """Text that cannot pass for the chat template's own marks (`<|im_end|>` and its kind)."""
    return re.sub(r"<(?=\|)|(?<=\|)>", lambda mark: mark.group() + "\u200b" if mark.group() == "<" else "\u200b>", text)


@dataclass(frozen=True)
class Reply:
    """A model's reply, read. `complete` is false for a block that was never closed."""

    kind: Literal["code", "words", "nothing"]
    text: str
    complete: bool = True


_FENCE = re.compile(r"^\s*```[ \t]*([\w+-]*)[^\n]*\n")


def read_reply(text: str) -> Reply:
    """Code if the reply begins with a code block; otherwise words, whatever blocks they quote."""
    if not text.strip():
        return Reply("nothing", "")
    opened = _FENCE.match(text)
    if not opened:
        bare = text.strip()
        return Reply("nothing", "", complete=False) if set(bare) <= {"`"} else Reply("words", bare)
    if opened.group(1).lower() not in ("", "python", "py", "python3", "ipython"):
        return Reply("words", text.strip())
    body = text[opened.end() :]
    closed = re.search(r"^[ \t]*```[ \t]*$", body, re.MULTILINE)
    code = (body[: closed.start()] if closed else body).strip("\n").rstrip()
    if not code.strip():
        return Reply("nothing", "", complete=bool(closed))
    return Reply("code", code, bool(closed))


# Tokens a character, by kind of character, as Qwen2.5's tokenizer makes them, rather too many than too few. Digits are
# a token each; words are longer than in listings, and `_` and brackets often share a token with their neighbours.
# Measured on 12 CSV files, 40 pages of code and text, and sentences in 14 scripts: 0.86 to 1.5 times the true number.
_TOKENS = (
    (re.compile(r"[0-9]"), 1.0),
    (re.compile(r"[A-Za-z]"), 0.25),
    (re.compile(r"\s"), 0.1),
    (re.compile(r"\s(?=[0-9])"), 0.9),  # elsewhere a space belongs to the word behind it
    (re.compile(r"[!-/:-@\[-`{-~]"), 0.9),
    (re.compile(r"[\u0080-\u03ff]"), 1.0),  # accents, Greek
    (re.compile(r"[\u0400-\u06ff]"), 0.5),  # Cyrillic, Hebrew, Arabic
    (re.compile(r"[\u0700-\u2e7f]"), 1.25),  # scripts of India and South East Asia, symbols
    (re.compile(r"[\u2e80-\uffff]"), 1.0),  # Chinese, Japanese, Korean
    (re.compile(r"[\U00010000-\U0010ffff]"), 2.5),  # emoji, rare scripts
)


def estimate_tokens(text: str) -> int:
    """About how many tokens a text has."""
    return int(sum(len(kind.findall(text)) * tokens for kind, tokens in _TOKENS)) + 1


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit // 2]} ... {text[-limit // 2 :]}"
