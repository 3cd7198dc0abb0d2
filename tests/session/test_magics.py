"""The grammar of the magics: options first, then a sub-command or words, and words are never altered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.completer import provisionalcompleter
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from llmos_jupyter.session import commands, magics
from llmos_jupyter.session.magics import Call, LLMOSMagics, parse
from llmos_jupyter.session.subcommands import SUBCOMMANDS, help_text

PARSER = LLMOSMagics.llmos.parser


def read(line: str, cell: str | None = None) -> Call:
    return parse(line, cell, PARSER)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("status", ("status", "")),
        ("  status  ", ("status", "")),
        ("use 0.5b", ("use", "0.5b")),
        ("use http://host:8000/v1#org/m:7b", ("use", "http://host:8000/v1#org/m:7b")),
        ("use /models/my model #1 50% ü.gguf", ("use", "/models/my model #1 50% ü.gguf")),
        ("why", ("why", "")),
        ("why 12", ("why", "12")),
        ("code 3", ("code", "3")),
        ("history", ("history", "")),
        ("config", ("config", "")),
        ("config mode=ask", ("config", "mode=ask")),
        ("config mode = ask", ("config", "mode = ask")),
        ("help", ("help", "")),
        ("cancel 7", ("cancel", "7")),
    ],
)
def test_subcommands(line: str, expected: tuple[str, str]) -> None:
    call = read(line)
    assert (call.subcommand, call.argument, call.words) == (*expected, "")


@pytest.mark.parametrize(
    "line",
    [
        "why is the mean so high",
        "status of my data",
        "use the median instead",
        "history of the euro",
        "code a function",
        "help me",
        "models of growth in plants",
        "cancel the last column",
        "config the plot",
        "what's the mean of df['x']?",
        'say "hello" -- twice',
        "plot a --b",
        "-3 + 4?",
        "{x} is {}",
    ],
)
def test_sentences_reach_the_model_as_they_were_written(line: str) -> None:
    assert read(line) == Call({}, words=line)


@pytest.mark.parametrize(
    ("line", "usage"),
    [
        ("priority 1", "%llmos priority N low"),
        ("priority", "%llmos priority N low"),
        ("result", "%llmos result N"),
        ("retry", "%llmos retry N"),
        ("pause all", "%llmos pause N"),
        ("resume -1", "%llmos resume N"),
        ("history 0", "%llmos history [N]"),
        ("undo everything", "%llmos undo [N]"),
        ("code 1 2", "%llmos code [N]"),
        ("cancel 1.5", "%llmos cancel [N]"),
        ("wait now", "%llmos wait [N]"),
        ("why 9999999999", "%llmos why [N]"),
        ("use", "%llmos use NAME"),
        ("allow", "%llmos allow WHAT"),
        ("revoke", "%llmos revoke WHAT"),
        ("trace out.txt", "%llmos trace FILE.json"),
        ("trust", "%llmos trust FILE"),
        ("feedback great", "%llmos feedback up [N]"),
        ("replay", "%llmos replay status"),
        ("config mode", "%llmos config [KEY=VALUE]"),
        ("status 1", "%llmos status"),
        ("queue 7", "%llmos queue"),
    ],
)
def test_a_sub_command_that_is_not_complete_is_not_sent_to_the_model(line: str, usage: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(line)
    assert str(caught.value) == f"Write `{usage}`, or, if these are words for the model, `%llmos -- {line}`."
    assert read(f"-- {line}").words == line


def test_two_dashes_and_a_cell_make_anything_words() -> None:
    assert read("-- status").words == "status"
    assert read("--mode ask -- why").words == "why"
    assert read("", "status").words == "status"
    assert read("--mode show", "why\n").words == "why"
    assert read("of df:", "the mean").words == "of df:\nthe mean"


def test_options_come_before_the_words() -> None:
    call = read("--mode ask --retries=3 --timeout 2.5 --use df --use 'a b' --no-context the mean --mode of df")
    assert call.words == "the mean --mode of df"
    assert call.options == {
        "mode": "ask",
        "retries": 3,
        "timeout": 2.5,
        "use": ["df", "a b"],
        "no_context": True,
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--mood ask x", "did you mean --mode"),
        ("--xyzzy x", "There is no option --xyzzy"),
        ("--mode maybe x", "one of auto, ask, show"),
        ("--retries two x", "a whole number"),
        ("--timeout soon x", "a number"),
        ("--model", "--model needs a value"),
        ("--no-context=yes x", "takes no value"),
        ("--gpu x y", "--gpu cannot be 'x': it takes a whole number"),
        ("--on", "--on needs a value"),
    ],
)
def test_a_wrong_option_gets_one_sentence(line: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(line)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=80))
def test_any_line_is_understood_or_refused(line: str) -> None:
    try:
        call = read(line)
    except UsageError:
        return
    assert call.words in line or call.subcommand


@given(st.text(min_size=1, max_size=80).filter(lambda text: text.strip() and not text.lstrip().startswith("-")))
def test_a_cell_is_never_changed(text: str) -> None:
    assert read("", text).words == text.strip()


def test_completion_and_help() -> None:
    shell = InteractiveShell()
    magics.register(shell)
    shell.user_ns["temperatures"] = [1]

    def completions(line: str) -> set[str]:
        with provisionalcompleter():
            return {completion.text for completion in shell.Completer.completions(line, len(line))}

    assert "--mode" in completions("%llmos --m")
    assert completions("%llmos --mode ") >= {"auto", "ask", "show"}
    assert completions("%%llmos --mode s") >= {"show"}
    assert completions("%%llmos run --on ") >= {"workers", "cluster"}
    assert "status" in completions("%llmos sta")
    assert "status" not in completions("%%llmos sta")
    assert any("qwen2.5-coder-0.5b".endswith(text) for text in completions("%%llmos --model qwen2.5-coder-0"))
    assert "temperatures" in completions("%llmos --use temp")
    assert "--max-tokens" in LLMOSMagics.llmos.__doc__


@pytest.mark.parametrize("sentence", ["what is a median?", "is {x} in $y?", "why? because!", "it's 'so'? ", "x ?"])
def test_a_question_is_not_taken_for_ipythons_help(sentence: str) -> None:
    shell = InteractiveShell()
    magics.register(shell)
    code = shell.transform_cell(f"%llmos {sentence}\n")
    assert eval(code.split("'llmos', ")[1].rstrip()[:-1]) == sentence.strip()
    assert "llmos" in code
    assert "pinfo" in shell.transform_cell("%llmos?")
    assert shell.transform_cell("%%llmos\nwhat is x?").count("what is x?") == 1


def test_braces_and_dollars_in_a_sentence_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = InteractiveShell()
    magics.register(shell)
    asked = []
    monkeypatch.setattr(LLMOSMagics, "_ask", lambda self, call: asked.append(call.words))
    shell.user_ns["x"] = 5
    shell.run_cell("%llmos add {x} and $x and {} to y")
    shell.run_cell("%%llmos of {x}\nthe $x\n")
    assert asked == ["add {x} and $x and {} to y", "of {x}\nthe $x"]


def test_the_options_of_a_task_are_of_tasks_only() -> None:
    assert read("run --gpu 2 --on cluster", "x = 1").options == {"gpu": 2, "on": "cluster"}
    shell = InteractiveShell()
    magics.register(shell)
    for options, said in (
        ("--gpu 1 train it", "--gpu is for what runs in the background"),
        ("--on cluster train it", "--on is for what runs in the background"),
    ):
        with pytest.raises(UsageError, match=said):
            shell.run_line_magic("llmos", options)
    for option in ("--mode show", "--model auto", "--candidates 3", "--no-context", "--timeout 5"):
        with pytest.raises(UsageError, match=f"{option.split()[0]} is for words to the model.* leave it out"):
            shell.run_cell_magic("llmos", f"run {option}", "raise SystemExit")
    with pytest.raises(UsageError, match="--gpu cannot be -1: input should be greater than or equal to 0"):
        shell.run_cell_magic("llmos", "run --gpu -1", "x = 1")


def test_an_empty_request_gets_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    shell = InteractiveShell()
    magics.register(shell)
    with pytest.raises(UsageError, match="Write what you want"):
        shell.run_line_magic("llmos", "")
    with pytest.raises(UsageError, match="Write what you want"):
        shell.run_cell_magic("llmos", "", " \n ")


def test_each_sub_command_of_the_table_has_its_function_and_its_line_of_help() -> None:
    assert commands._FUNCTIONS.keys() == SUBCOMMANDS.keys()
    listed = [line.split()[1] for line in help_text().splitlines() if line.startswith("%llmos ")]
    assert [name for name in listed if name in SUBCOMMANDS] == list(SUBCOMMANDS)
