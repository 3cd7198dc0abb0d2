"""The story of a task as Markdown and as plain text."""

from __future__ import annotations

import mistune

from llmos_jupyter.protocol import Finding, Fold, Options, Session, Story, StoryLine, Task
from llmos_jupyter.widgets.story import story_text, task_line

EVIL = "![x](http://example.org/x.png) <img src=x> *bold*"


def task(text: str = "the mean of x", reason: str = "") -> Task:
    session = Session(id="s", pid=1, started=0.0)
    state = "failed" if reason else "done"
    return Task(
        id="t",
        number=7,
        text=text,
        options=Options(mode="ask"),
        session=session,
        state=state,  # type: ignore[arg-type]
        reason=reason,
        created=0.0,
        updated=1.0,
    )


def story(**known: object) -> Story:
    finding = Finding(kind="data", severity="warning", message="there is no `a`", line=2, suggestions=["b"])
    lines = [
        StoryLine(
            seconds=0.5,
            what="Candidate 1 · qwen",
            facts=["Sent: 1 of 2 messages as before"],
            folds=[Fold(title="Sent: user", text="the mean\n```\nx\n```\n</details>")],
        ),
        StoryLine(
            seconds=65,
            what="Inspection: 1 finding",
            findings=[finding],
            folds=[Fold(title="Code", text="x = 1\n", code=True, left_out=90_000)],
        ),
    ]
    return Story.model_validate({"task": task(), "why": ["It ran."], "lines": lines, **known})


def test_plain_text_has_all_of_it_fenced() -> None:
    began, *parts = story_text(story()).split("\n\n")
    assert began == "## Request 7: done"
    assert parts[0] == "> the mean of x"
    assert parts[1].startswith("Accepted ")
    assert parts[1].endswith("; options: {'mode': 'ask'}.")
    assert parts[2:] == [
        "**+0.50 s** Candidate 1 · qwen",
        "- Sent: 1 of 2 messages as before",
        "Sent: user:",
        "````\nthe mean\n```\nx\n```\n</details>\n````",
        "**+1 min 5 s** Inspection: 1 finding",
        "- warning, line 2: there is no `a`; perhaps `b`?",
        "Code:",
        "```python\nx = 1\n... and 90,000 more characters\n```",
        "### Where and when",
        "- It ran.",
    ]


def test_in_a_notebook_longer_texts_are_folded() -> None:
    html = str(mistune.html(story_text(story(), markdown=True)))
    assert html.count("<details><summary>") == html.count("\n</details>") == 2
    assert "<summary>Sent: user</summary>" in html
    assert "<pre><code>the mean\n```\nx\n```\n&lt;/details&gt;\n</code></pre>" in html
    assert '<code class="language-python">x = 1' in html
    assert "there is no <code>a</code>; perhaps <code>b</code>?" in html


def test_what_the_model_or_the_data_say_brings_no_markup() -> None:
    line = StoryLine(seconds=0, what=EVIL, facts=[EVIL], folds=[Fold(title=EVIL, text=EVIL)])
    evil = story(task=task(EVIL, EVIL), why=[EVIL], lines=[line])
    html = str(mistune.html(story_text(evil, markdown=True)))
    assert "<img" not in html
    assert "<strong>bold" not in html
    assert "<em>" not in html
    assert story_text(evil).count(EVIL) == 7


def test_a_task_has_one_line_in_the_history() -> None:
    line = task_line(task("two\nlines " + "x" * 100))
    assert line.startswith("    7  ")
    assert "done       two lines xxx" in line
    assert line.endswith("…")
