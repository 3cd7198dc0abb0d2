"""What a run showed, read from the table and shown in the notebook."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects.table import Malformed, checked

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

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
    """Show them again, in their order; results become `_` and `Out` as they would have."""
    hook = shell.displayhook
    for output in outputs:
        if output.kind == "stream":
            (sys.stderr if output.name == "stderr" else sys.stdout).write(output.text)
        elif output.kind == "display":
            shell.display_pub.publish(
                output.data, output.metadata, transient=output.transient or {}, update=output.flag
            )
        elif output.kind == "clear":
            shell.display_pub.clear_output(output.flag)
        else:
            hook.start_displayhook()
            hook.write_output_prompt()
            hook.update_user_ns(results[output.number])
            hook.fill_exec_result(results[output.number])
            if output.data is not None:
                hook.write_format_data(output.data, output.metadata)
                hook.log_output(output.data)
            hook.finish_displayhook()
