"""The story of a task, for `%llmos why`, and its line of the history. What the story says is the daemon's."""

from __future__ import annotations

import html
import time

from llmos_jupyter.protocol import Finding, Fold, Story, Task
from llmos_jupyter.units import seconds, shortened
from llmos_jupyter.widgets.answer import fenced, marked


def story_text(story: Story, *, markdown: bool = False) -> str:
    """All that was sent, came back, was found and was run, with times from the task's acceptance.

    `markdown`: for a notebook, with longer texts folded; else plain text, with longer texts fenced."""
    task = story.task
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(task.created))
    options = task.options.model_dump(exclude_defaults=True)
    words = marked if markdown else str
    parts = [
        f"## Request {task.number}: {task.state}" + (f" ({words(task.reason)})" if task.reason else ""),
        "> " + words(task.text.strip()[:2000]).replace("\n", "\n> "),
        words(f"Accepted {began}; options: {options or 'all defaults'}."),
    ]
    for line in story.lines:
        parts.append(f"**+{seconds(line.seconds)}** {words(line.what)}")
        points = [*line.facts, *map(_finding, line.findings)]
        if points:
            parts.append("\n".join(f"- {words(point)}" for point in points))
        parts += [_folded(fold) if markdown else f"{fold.title}:\n\n{_text(fold)}" for fold in line.folds]
    if story.why:
        parts += ["### Where and when", "\n".join(f"- {words(sentence)}" for sentence in story.why)]
    return "\n\n".join(parts)


def _finding(finding: Finding) -> str:
    line = f", line {finding.line}" if finding.line else ""
    perhaps = f"; perhaps {', '.join(f'`{name}`' for name in finding.suggestions)}?" if finding.suggestions else ""
    return f"{finding.severity}{line}: {finding.message}{perhaps}"


def _text(fold: Fold) -> str:
    more = f"\n... and {fold.left_out:,} more characters" if fold.left_out else ""
    return fenced(fold.text.rstrip() + more, "python" if fold.code else "")


def _folded(fold: Fold) -> str:
    # The empty lines make what is between them Markdown again.
    return f"<details><summary>{html.escape(fold.title)}</summary>\n\n{_text(fold)}\n\n</details>"


def task_line(task: Task) -> str:
    """One line of a history."""
    at = time.strftime("%m-%d %H:%M", time.localtime(task.created))
    return f"{task.number:>5}  {at}  {task.state:<9}  {shortened(task.text, 80)}"
