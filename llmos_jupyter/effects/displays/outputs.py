"""What a run showed, read from the table, made safe, and shown in the notebook."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.displays import safe_outputs
from llmos_jupyter.effects.displays.safe_html import SCRIPT
from llmos_jupyter.effects.objects import names
from llmos_jupyter.effects.table import Malformed, checked

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

log = logging.getLogger(__name__)
_DEPTH = 30


@dataclass(frozen=True)
class Output:
    """`kind` is stream, display, clear or result; `number` says which of the results it is."""

    kind: str
    name: str = ""
    text: str = ""
    data: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    transient: dict[str, Any] | None = None
    flag: bool = False
    number: int = -1


def read_outputs(content: Any, results: int) -> list[Output]:
    """The outputs of a table, checked. `results`: how many results there are."""
    found = []
    for entry in checked(content, list):
        match checked(entry, list):
            case ["stream", "stdout" | "stderr" as name, str(text)]:
                found.append(Output("stream", name, text))
            case ["display", dict(data), dict(metadata), dict(transient), bool(update)]:
                shown = [_plain(part) for part in (data, metadata, transient)]
                found.append(Output("display", "", "", shown[0], shown[1], shown[2], update))
            case ["clear", bool(wait)]:
                found.append(Output("clear", flag=wait))
            case ["result", int(number), None | dict() as data, dict(metadata)] if 0 <= number < results:
                found.append(Output("result", "", "", _plain(data), _plain(metadata), number=number))
            case _:
                raise Malformed("an output that is none")
    return found


def _plain(value: Any, depth: int = 0) -> Any:
    if depth > _DEPTH:
        raise Malformed("an output nested too deeply")
    if type(value) is dict:
        if not {str}.issuperset(map(type, value)):
            raise Malformed("an output whose parts have no names")
        return {name: _plain(part, depth + 1) for name, part in value.items()}
    if type(value) is list:
        return [_plain(part, depth + 1) for part in value]
    return value


def show(outputs: list[Output], results: list[Any], shell: InteractiveShell) -> None:
    """Show them again, in their order; results become `_` and `Out` as they would have. No value is formatted here, as
    that could run code of the run's own classes."""
    figures = any(safe_outputs.PLOTLY in (output.data or {}) for output in outputs)
    for output in outputs:
        try:
            _show(output, results, shell, figures)
        except Exception:  # a front end may refuse what it is given; what was committed stays and can be undone
            log.exception("an output could not be shown")
            print("An output could not be shown.", file=sys.stderr)


def _show(output: Output, results: list[Any], shell: InteractiveShell, figures: bool) -> None:
    if output.kind == "stream":
        (sys.stderr if output.name == "stderr" else sys.stdout).write(output.text)
    elif output.kind == "display":
        _display(output, shell, figures)
    elif output.kind == "clear":
        shell.display_pub.clear_output(output.flag)
    else:
        _result(output, results[output.number], shell)


def _display(output: Output, shell: InteractiveShell, figures: bool) -> None:
    """`figures`: whether figures of plotly are shown, which come as data and miss no script that plotly loads."""
    shown = safe_outputs.bundle(output.data or {}, output.metadata)
    display_id = (output.transient or {}).get("display_id")
    transient = {"display_id": display_id} if type(display_id) is str else {}
    if shown.data:
        shell.display_pub.publish(shown.data, shown.metadata, transient=transient, update=output.flag)
    loads = figures and not shown.data and shown.lost == [SCRIPT]
    if shown.lost and not loads:
        print(safe_outputs.sentence(shown.lost))


def _result(output: Output, result: Any, shell: InteractiveShell) -> None:
    hook = shell.displayhook
    shown = safe_outputs.bundle(output.data or {}, output.metadata)
    hook.start_displayhook()
    hook.write_output_prompt()
    hook.update_user_ns(result)
    hook.fill_exec_result(result)
    if shown.data:
        hook.write_format_data(shown.data, shown.metadata)
        hook.log_output(shown.data)
    hook.finish_displayhook()
    if shown.lost:
        name = next((name for name, value in names.variables(shell).items() if value is result), "_")
        print(safe_outputs.sentence(shown.lost, name))
