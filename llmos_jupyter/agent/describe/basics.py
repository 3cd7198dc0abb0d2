"""Looking at objects without running their code, and writing what was seen as safe, short text.

A user's class may redefine anything that `value.x`, `isinstance`, `len` or `repr` ask of it, and what it
defines may raise, print, block or lie. Everything here reads the interpreter's own records instead:
`type(value)`, the class's real method resolution order, its real dictionary, and the methods of the builtin
types called unbound.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import math
import pathlib
import re
import sys
import types
import uuid
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from llmos_jupyter.privacy.masking import mask

VALUE_CHARS = 40
MASKED_CHARS = 1000  # of a long text's either end, in which secrets are looked for
LABEL_CHARS = 60  # names of columns and keys: cut later than values, for the model must write them exactly

_class_mro = type.__dict__["__mro__"]
_class_dict = type.__dict__["__dict__"]
_class_name = type.__dict__["__name__"]
_class_module = type.__dict__["__module__"]
_module_dict: Any = types.ModuleType.__dict__["__dict__"]  # type: ignore[index]
_DESCRIPTORS = (types.GetSetDescriptorType, types.MemberDescriptorType)

# How chat templates mark roles (`<|im_start|>`, `<｜User｜>`, `</tool_call>`, `[INST]`), and code fences.
_MARKERS = re.compile(r"<(?=[|｜]|/?[A-Za-z_]+>)|\[(?=/?[A-Z_]{3,}\])|`")


# --- looking -----------------------------------------------------------------------------------


def mro(cls: type) -> tuple[type, ...]:
    return cast("tuple[type, ...]", _class_mro.__get__(cls))


def class_dict(cls: type) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", _class_dict.__get__(cls))


def class_name(cls: type) -> str:
    return plain(_class_name.__get__(cls), LABEL_CHARS)


def class_module(cls: type) -> str:
    module = _class_module.__get__(cls)
    return module if type(module) is str else ""


def is_kind(value: object, *kinds: type | None) -> bool:
    """`isinstance` by the real type only: neither `__class__` nor `__instancecheck__` is asked."""
    return any(base is kind for base in mro(type(value)) for kind in kinds)


def is_exactly(value: object, *kinds: type) -> bool:
    """Identity, for `==` and hashing of a class may be redefined by its metaclass."""
    return any(type(value) is kind for kind in kinds)


def module_dict(name: str) -> Mapping[str, Any]:
    """The names of a module that is already imported; none if it is not."""
    module = sys.modules.get(name)
    if module is None or not is_kind(module, types.ModuleType):
        return {}
    return cast("Mapping[str, Any]", _module_dict.__get__(module))


def library_class(module: str, name: str) -> type | None:
    """A class of a library, if the library is imported; a value of it cannot exist otherwise."""
    found = module_dict(module).get(name)
    return cast("type", found) if is_kind(found, type) else None


def is_library_kind(value: object, module: str, *names: str) -> bool:
    kinds = [cls for name in names if (cls := library_class(module, name)) is not None]
    return bool(kinds) and is_kind(value, *kinds)


def redefines(value: object, base: type, *names: str) -> bool:
    """Whether a class below `base` defines one of `names` itself."""
    for cls in mro(type(value)):
        if cls is base:
            return False
        if any(name in class_dict(cls) for name in names):
            return True
    return False


def own_attributes(value: object) -> dict[str, object]:
    """The instance's dictionary and its filled slots. No property, no `__getattr__`."""
    found: dict[str, object] = {}
    slots: dict[str, object] = {}
    seen_dict = False
    for cls in mro(type(value)):
        slotted = "__slots__" in class_dict(cls)  # else they are the inner parts of a C type
        for name, entry in class_dict(cls).items():
            if name == "__dict__" and not seen_dict:
                seen_dict = True
                held = entry.__get__(value) if is_exactly(entry, *_DESCRIPTORS) else None
                if is_kind(held, dict):
                    found = {k: v for k, v in dict.items(cast("dict[object, object]", held)) if type(k) is str}
            elif slotted and type(entry) is types.MemberDescriptorType and not name.startswith("__"):
                try:
                    slots.setdefault(name, entry.__get__(value))
                except AttributeError:  # a slot that was never filled
                    continue
    return {**dict(reversed(slots.items())), **found}


def describe_class_of(value: object) -> str:
    """`Account` for a class of the notebook, `sqlite3 Connection` for one of a library."""
    cls = type(value)
    package = class_module(cls).partition(".")[0]
    if package in ("", "builtins", "__main__"):
        return class_name(cls)
    return f"{plain(package.lstrip('_'), LABEL_CHARS)} {class_name(cls)}"


# --- writing -----------------------------------------------------------------------------------


def literal(text: str, limit: int = VALUE_CHARS) -> str:
    """A Python string literal on one line, cut in the middle, that cannot break the prompt's layout.

    Back-ticks and the openers of role markers are written as `\\x60`, `\\x3c`, `\\x5b`: still the same string
    in Python, no longer a token of the chat template or the end of a code block.
    """
    length = str.__len__(text)
    if length > limit:
        # Half a key is not known for one, and half of it is half given away: the ends are masked before the cut.
        tail_from = max(length - MASKED_CHARS, MASKED_CHARS)
        text = mask(str.__getitem__(text, slice(MASKED_CHARS))) + mask(str.__getitem__(text, slice(tail_from, None)))
        length = len(text)
    if length > limit:
        head = limit * 2 // 3
        tail = limit - head - 3
        text = f"{str.__getitem__(text, slice(head))}...{str.__getitem__(text, slice(length - tail, None))}"
    return _MARKERS.sub(lambda m: f"\\x{ord(m[0]):02x}", repr(str.__str__(text)))


def plain(text: object, limit: int = VALUE_CHARS) -> str:
    """The same without quotes, for text that is ours or a library's: names of types, docstrings."""
    if not is_kind(text, str):
        return "?"
    return literal(cast("str", text), limit)[1:-1].replace("\\'", "'")


def label(name: object) -> str:
    """The name of a column, a key or an index: bare if an identifier, else a literal."""
    if type(name) is str:
        return name if len(name) <= LABEL_CHARS and name.isidentifier() else literal(name, LABEL_CHARS)
    if type(name) is tuple:
        return f"({', '.join(literal(x) if type(x) is str else label(x) for x in name[:6])})"
    text = scalar(name)
    return text if text is not None else f"<{describe_class_of(name)}>"


def number(value: float) -> str:
    text = float.__repr__(value)
    return text if len(text) <= 8 else f"{value:.6g}"


def integer(value: int) -> str:
    bits = int.bit_length(value)
    # Longer ones take quadratic time to write, or are refused (`sys.set_int_max_str_digits`).
    return int.__repr__(value) if bits <= 128 else f"int of about {int(bits * 0.30103) + 1} digits"


def scalar(value: object) -> str | None:
    """One plain value in a few characters; None if `value` is not of a type known to be plain."""
    cls = type(value)
    if value is None or value is Ellipsis or value is NotImplemented or cls is bool:
        return repr(value)
    if is_kind(value, str) and not is_kind(value, enum.Enum):
        return literal(cast("str", value))
    if is_kind(value, enum.Enum):
        member = own_attributes(value).get("_name_")
        return f"{class_name(cls)}.{plain(member)}" if type(member) is str else class_name(cls)
    if cls is int:
        return integer(cast("int", value))
    if cls is float:
        return number(cast("float", value))
    if cls is complex:
        return repr(value)
    if cls is bytes or cls is bytearray:
        data = cast("bytes", value)
        shown = plain(repr(bytes(data[:24])), VALUE_CHARS * 2)
        return shown if len(data) <= 24 else f"{shown[:-1]}...{shown[-1]} ({len(data)} bytes)"
    return _standard_scalar(value, cls)


def _standard_scalar(value: Any, cls: type) -> str | None:
    """Values of the standard library's plain classes, and of numpy's and pandas' scalars."""
    if is_exactly(value, datetime.datetime, datetime.time):
        zone = value.tzinfo
        if zone is None or is_exactly(zone, datetime.timezone, zoneinfo.ZoneInfo):
            return cast("str", value.isoformat())
        return f"{value.replace(tzinfo=None).isoformat()} <{describe_class_of(zone)}>"
    if cls is datetime.date:
        return cast("str", value.isoformat())
    if is_exactly(value, datetime.timedelta, uuid.UUID):
        return plain(str(value))
    if cls is fractions.Fraction:
        return f"{integer(value.numerator)}/{integer(value.denominator)}"
    if cls is decimal.Decimal:
        return plain(str(value)) if len(value.as_tuple().digits) < 60 else "Decimal of many digits"
    if cls is range:
        return f"range({', '.join(integer(x) for x in (value.start, value.stop, value.step))})"
    if is_exactly(value, pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePosixPath, pathlib.PureWindowsPath):
        return f"Path({literal(str(value), LABEL_CHARS)})"
    if cls is re.Pattern:
        return f"re.compile({scalar(value.pattern)})"
    if (generic := library_class("numpy", "generic")) is not None and is_kind(value, generic):
        return _numpy_scalar(value, class_dict(generic)["dtype"].__get__(value))
    pandas = module_dict("pandas")
    if value is pandas.get("NaT") or value is pandas.get("NA"):
        return str(value)
    if any(cls is pandas.get(name) for name in ("Timestamp", "Timedelta", "Period", "Interval")):
        return plain(str(value)).removesuffix(" 00:00:00")
    return None


def _numpy_scalar(value: Any, dtype: Any) -> str | None:
    """numpy's own scalars, written without numpy's printing options."""
    if dtype.type is not type(value):  # a class derived from one of numpy's
        return None
    if dtype.kind in "biuf" and dtype.itemsize <= 8:
        return scalar(value.item())
    return plain(str(value)) if dtype.kind in "mM" else None


def is_missing(value: object) -> bool:
    """None, NaN, NaT or NA, told by type so that nothing of the value's is called."""
    if value is None or (type(value) is float and math.isnan(value)):
        return True
    pandas = module_dict("pandas")
    return bool(pandas) and (value is pandas["NaT"] or value is pandas["NA"])


def numeric_range(values: Iterable[object]) -> str:
    """`1 .. 9` of exact ints and floats; empty for anything else, or nothing."""
    numbers = [v for v in values if type(v) is int or (type(v) is float and not math.isnan(v))]
    if not numbers:
        return ""
    low, high = min(numbers), max(numbers)
    return f"{scalar(low)} .. {scalar(high)}"


def fit(head: str, items: Iterator[str] | list[str], total: int, tail: str, room: int, sep: str = ", ") -> str:
    """`head`, as many items as fit into `room` characters, `tail`; what is left out is counted.

    `total`: how many items there are, though `items` may stop earlier.
    """
    out = head
    shown = 0
    for item in items:
        left = total - shown - 1
        more = f"{sep}... {left} more" if left > 0 else ""
        joint = sep if shown else ""
        if len(out) + len(joint) + len(item) + len(more) + len(tail) > room:
            break
        out += joint + item
        shown += 1
    if shown < total:
        out += f"{sep if shown else ''}... {total - shown} more"
    return out + tail
