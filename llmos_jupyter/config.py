"""The user's settings: one small JSON file, read by kernels and daemon alike.

`%llmos config` shows it, `%llmos config mode=ask` changes it. A broken file is refused with a sentence
rather than ignored: silently returning to defaults would run code the user wanted to be asked about.
"""

from __future__ import annotations

import json
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from llmos_jupyter import paths
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.protocol import Mode, Preference, Wire
from llmos_jupyter.system.device_names import parse
from llmos_jupyter.system.private_files import private_folder, write_private

LOCAL = "local"


class Config(Wire):
    """Defaults of requests, and how the daemon behaves. Times are seconds."""

    model: str = Field(
        "auto", min_length=1, description="model to use: a name, a .gguf file, http://host/v1#model, or auto"
    )
    device: str = Field("auto", description="where engines compute: auto, cpu, cuda, cuda:1, metal and others")
    mode: Mode = Field("auto", description="auto: run what passed in the sandbox; ask; show: never run")
    preference: Preference = Field("balanced", description="answers are to be fast, the best, or balanced between both")
    retries: Annotated[int, Field(ge=0, le=10)] | Literal["auto"] = Field("auto", description="rounds of repair")
    timeout: float = Field(600.0, gt=0, description="seconds for the model to write; code runs as long as it takes")
    max_tokens: int = Field(600, ge=1, le=32768, description="longest answer, in tokens")
    temperature: float = Field(0.0, ge=0, le=2, description="0 always gives the likeliest answer")
    rehearsal_budget: float = Field(
        5.0, gt=0, le=3600, description="seconds a loop without an end runs, and a candidate beside the first at least"
    )
    replay: bool = Field(True, description="record answers beside the notebook and give them again")
    examples: bool = Field(True, description="show the model answers that you kept to requests like the new one")
    warm: bool = Field(True, description="read new cells into the engine's cache while you read")
    yield_cores: bool = Field(True, description="long cells stand still while the model writes on their cores")
    threads: Annotated[int, Field(ge=1, le=512)] | Literal["auto"] = Field(
        "auto", description="threads the engine computes with; auto: one for each core that other programs leave"
    )
    model_memory: Annotated[float, Field(gt=0)] | Literal["auto"] = Field(
        "auto", description="gigabytes that loaded models take together; auto: half of the machine's"
    )
    slots: int = Field(4, ge=2, le=64, description="candidates or requests the engine writes at once")
    workers: str = Field("local", description="where tasks run: local, or a Dask scheduler's address")
    context_tokens: int = Field(8192, ge=1024, description="tokens one request may use")
    sample_every: float = Field(1.0, ge=0.2, le=60, description="seconds between two looks at processors and GPUs")
    unload_after: float = Field(900.0, gt=0, description="idle seconds until the model is unloaded")
    keep_days: float = Field(365.0, gt=0, description="days until a request that has ended is removed from the history")
    exit_after: float = Field(3600.0, gt=0, description="idle seconds until the daemon ends")

    @field_validator("device")
    @classmethod
    def _device(cls, value: str) -> str:
        """Whether it is here is said when a model is used there."""
        try:
            return str(parse(value) or "auto")
        except LLMOSError as error:
            raise PydanticCustomError("device", "{why}", {"why": str(error).rstrip(".")}) from error

    @field_validator("workers")
    @classmethod
    def _place(cls, value: str) -> str:
        """Said when it is set, not when the first task goes there. Whether somebody listens there is not asked."""
        if value == LOCAL:
            return value
        try:
            address = urlsplit(value)
            fits = address.scheme in ("tcp", "tls") and bool(address.hostname) and bool(address.port)
        except ValueError:
            fits = False
        if not fits or value != f"{address.scheme}://{address.netloc}":
            raise PydanticCustomError(
                "workers",
                "write local, or the address of a Dask scheduler such as tcp://10.0.0.5:8786 or tls://host:8786",
            )
        return value


def load() -> Config:
    """The user's settings, defaults where nothing was set. Raises LLMOSError for a broken file.

    Whoever runs the machine may name a server for all its users by LLMOS_ENGINE, until they choose a model themselves,
    and a device by LLMOS_DEVICE, until they choose one.
    """
    settings = _stored()
    if "device" not in settings.model_fields_set and (device := paths.device_name()):
        settings = settings.model_copy(update={"device": str(parse(device) or "auto")})
    if "model" not in settings.model_fields_set and (engine := paths.engine_address()):
        settings = settings.model_copy(update={"model": engine})
    return settings


def _stored() -> Config:
    """What the file says."""
    file = paths.config_file()
    try:
        return Config.model_validate_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Config()
    except (ValidationError, OSError, UnicodeDecodeError) as error:
        raise LLMOSError(f"The settings file {file} cannot be read ({_first(error)}): mend or delete it.") from error


def change(assignment: str) -> Config:
    """Apply `key=value` and save. Raises LLMOSError for an unknown key or a value that does not fit."""
    key, equals, text = assignment.partition("=")
    key, text = key.strip(), text.strip()
    if not equals or key not in Config.model_fields:
        raise LLMOSError(f"Write config KEY=VALUE, with a key among: {', '.join(Config.model_fields)}.")
    values = _stored().model_dump(exclude_unset=True)
    values[key] = text
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        raise LLMOSError(f"{key} cannot be {text!r}: {_first(error)}.") from error
    file = paths.config_file()
    private_folder(file.parent)
    kept = config.model_dump(exclude_defaults=True)
    if "model" in values and paths.engine_address():
        kept["model"] = config.model  # the user's own choice, against the machine's, also if it is `auto`
    write_private(file, f"{json.dumps(kept, indent=2)}\n".encode())
    return load()


def table(settings: Config) -> str:
    """All settings, one a line."""
    width = max(map(len, Config.model_fields))
    return "\n".join(
        f"{name:<{width}} = {getattr(settings, name)!s:<8}  {field.description}"
        for name, field in Config.model_fields.items()
    )


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        said = error.errors()[0]["msg"]
        return said[:1].lower() + said[1:]
    return str(error)
