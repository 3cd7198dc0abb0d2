"""The daemon's OpenAPI schema as JSON on standard output: `python -m llmos_jupyter.daemon.openapi`.

The side panel's types are generated from it (`jlpm types` in labextension/).
"""

from __future__ import annotations

import json
import sys
from typing import Any, cast

from pydantic.json_schema import models_json_schema

from llmos_jupyter import protocol
from llmos_jupyter.daemon.app import create_app
from llmos_jupyter.daemon.core import Daemon

# What the front end reads although no route answers it: what notebooks keep.
SPOKEN = (protocol.AnswerCell, protocol.Usage)


def schema() -> dict[str, Any]:
    """The OpenAPI schema of all routes, with the types of what is streamed and displayed among its components."""
    app = create_app(cast(Daemon, None), "", lambda: None)  # routes are described, none is called
    app.separate_input_output_schemas = False  # one type of one name, whichever way it travels
    found = app.openapi()
    template = "#/components/schemas/{model}"
    _, spoken = models_json_schema([(model, "validation") for model in SPOKEN], ref_template=template)
    found["components"]["schemas"].update(spoken["$defs"])
    for component in found["components"]["schemas"].values():
        if "properties" in component:  # what the daemon sends carries every field, also those that have defaults
            component["required"] = list(component["properties"])
    found["components"]["schemas"]["Protocol"] = {"const": protocol.PROTOCOL}
    return found


if __name__ == "__main__":
    json.dump(schema(), sys.stdout, indent=1)
