"""NumPy: arrays with their views, dtypes and scalars."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from llmos_jupyter.effects.kind import ALL, CHOOSERS, Kind, register
from llmos_jupyter.effects.objects import arrays, memory
from llmos_jupyter.effects.objects.layout import attributes, is_users, put_dict, runs_users_code, solid
from llmos_jupyter.effects.objects.walk import array_items
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, checked_ints, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


_PLAIN_TYPE = re.compile(r"[<>|=][biufcSUVmMO?]\d*(\[[0-9a-zA-Z]+\])?")


class TypeKind(Kind):
    """A dtype: a plain one by its text, a structured one by its fields."""

    name = "dtype"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [describe_dtype(obj)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return make_dtype(content_of(content, 1)[0])


def describe_dtype(dtype: Any) -> Any:
    """A dtype as plain values."""
    if dtype.metadata:
        raise CannotComeHome("a dtype with metadata")
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return ["array", describe_dtype(base), list(shape)]
    if dtype.names is not None:
        fields = [dtype.fields[name] for name in dtype.names]
        if any(len(field) > 2 for field in fields):
            raise CannotComeHome("a dtype whose fields have titles")
        types, offsets = [describe_dtype(field[0]) for field in fields], [int(field[1]) for field in fields]
        record = dtype.type is np.record
        return ["fields", list(dtype.names), types, offsets, int(dtype.itemsize), bool(dtype.isalignedstruct), record]
    if dtype.kind == "T":
        return ["text", _missing_text(dtype), bool(dtype.coerce)]
    if dtype.kind not in "biufcSUVmMO?":
        raise CannotComeHome(f"the dtype {dtype}")
    return dtype.str


def _missing_text(dtype: Any) -> str:
    """What a dtype of texts has for a missing one; empty if none may be missing."""
    missing = getattr(dtype, "na_object", "")
    if missing is None or (type(missing) is float and missing != missing):
        return repr(missing)
    if missing != "":
        raise CannotComeHome(f"the dtype {dtype}")
    return ""


def make_dtype(said: Any, depth: int = 0) -> Any:
    """The dtype that plain values describe."""
    if depth > 10:
        raise Malformed("a dtype nested too deeply")
    try:
        if type(said) is str:
            if not _PLAIN_TYPE.fullmatch(said):
                raise Malformed("a dtype that is none")
            return np.dtype(said)
        if said[0] == "text":
            _, missing, coerce = content_of(said, 3)
            given = {} if missing == "" else {"na_object": {"None": None, "nan": np.nan}[missing]}
            return np.dtypes.StringDType(coerce=checked(coerce, bool), **given)
        if said[0] == "array":
            _, base, shape = content_of(said, 3)
            return np.dtype((make_dtype(base, depth + 1), tuple(checked_ints(shape))))
        if said[0] != "fields":
            raise Malformed("a dtype that is none")
        _, names, types, offsets, size, aligned, record = content_of(said, 7)
        made = [make_dtype(one, depth + 1) for one in checked(types, list)]
        if not {str}.issuperset(map(type, checked(names, list))) or any(one.hasobject for one in made):
            raise Malformed("fields without names, or of objects")
        checked_ints(checked(offsets, list))
        content = {"names": names, "formats": made, "offsets": offsets, "itemsize": checked_ints([size])[0]}
        dtype = np.dtype(content, align=bool(aligned))
        return np.dtype((np.record, dtype)) if record else dtype
    except (TypeError, ValueError, IndexError, OverflowError, KeyError):
        raise Malformed("a dtype that is none") from None


DTYPE = register(TypeKind())
CHOOSERS.append(lambda cls: DTYPE if issubclass(cls, np.dtype) else None)


class ScalarKind(Kind):
    """A NumPy scalar: its dtype and bytes."""

    name = "scalar"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        dtype = obj.dtype
        if dtype.hasobject or is_users(type(obj)):
            raise CannotComeHome("a scalar that holds objects")
        return [describe_dtype(dtype), obj.tobytes()]

    def blank(self, content: list[Any], build: Builder) -> Any:
        said, data = content_of(content, 2)
        dtype = make_dtype(said)
        if dtype.hasobject or dtype.subdtype is not None or len(checked(data, bytes)) != dtype.itemsize:
            raise Malformed("a scalar that is none")
        if not dtype.itemsize:
            return dtype.type()
        arrays.checked_characters(np.frombuffer(data, dtype))
        return np.frombuffer(bytearray(data), dtype)[0]


SCALAR = register(ScalarKind())
CHOOSERS.append(lambda cls: SCALAR if issubclass(cls, np.generic) else None)


class ArrayKind(Kind):
    """An array, of any subclass without code of its own for being made. A view refers to the array that has its memory;
    of a large old one only the pages that were written travel."""

    name = "array"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        cls = None if type(obj) is np.ndarray else pack.value(type(obj))
        held = None if cls is None else pack.attributes(attributes(obj))
        plain = memory.plain(obj)
        head = [cls, describe_dtype(obj.dtype), list(plain.shape), list(plain.strides), bool(plain.flags.writeable)]
        return [
            *head,
            held,
            arrays.describe_data(plain, pack, np.ndarray.base.__get__(obj), was_there=pack.is_old(obj)),
        ]

    def blank(self, content: list[Any], build: Builder) -> Any:
        cls, said, shape, strides, writeable, _, data = content_of(content, 7)
        made_of = np.ndarray if cls is None else array_class(build.value(cls))
        dtype = make_dtype(said)
        made = arrays.make(dtype, checked_ints(shape), checked_ints(strides, least=-(1 << 62)), data, build)
        if made_of is not np.ndarray:
            made = made.view(made_of)
        if not checked(writeable, bool):
            made.flags.writeable = False
        return made

    def decode(self, content: list[Any], build: Builder) -> Any:
        _, said, shape, strides, writeable, held, data = content_of(content, 7)
        beside = None if held is None else build.attributes(held)
        layout = (tuple(checked_ints(shape)), make_dtype(said), tuple(checked_ints(strides, least=-(1 << 62))))
        return layout, arrays.decode_data(data, layout, build), beside, checked(writeable, bool)

    def fill(self, obj: Any, content: list[Any], build: Builder) -> None:
        held, data = content[5:]
        if data[0] == "items":
            arrays.fill_objects(obj, build.values(data[1]))
        if (held is None) != (type(obj) is np.ndarray):
            raise Malformed("an array whose attributes do not fit its class")
        if held is not None:
            put_dict(object.__getattribute__(obj, "__dict__"), build.attributes(held), dict)

    def fits(self, obj: Any, content: list[Any], build: Builder) -> None:
        arrays.check_fit(obj, self.decode(content, build))

    def state(self, obj: Any, new: Any) -> Any:
        plain = memory.plain(obj)
        beside = None if type(obj) is np.ndarray else attributes(obj)
        layout = (plain.shape, plain.dtype, plain.strides)
        return (
            layout,
            arrays.keep_all(obj) if new is ALL else arrays.keep_data(plain, new[1]),
            beside,
            bool(plain.flags.writeable),
        )

    def look(self, obj: Any, state: Any) -> tuple[list[Any], Any]:
        plain = memory.plain(obj)
        if plain.dtype.hasobject or state[1] is None:
            return array_items(obj), [plain.shape, plain.dtype.str, *_unseen_items(plain)]
        return [], [plain.shape, plain.dtype.str, arrays.checksum(plain, state[1])]

    def size(self, state: Any) -> int:
        data = state[1]
        return 0 if data is None else int(data.values.nbytes if isinstance(data, arrays.Whole) else len(data.data))

    def put(self, obj: Any, state: Any) -> None:
        layout, data, beside, writeable = state
        arrays.put(obj, layout, data, writeable)
        if beside is not None:
            put_dict(object.__getattribute__(obj, "__dict__"), beside, dict)

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        plain = memory.plain(obj)
        held = [] if type(obj) is np.ndarray else list(attributes(obj).values())
        base = np.ndarray.base.__get__(obj)
        address = plain.__array_interface__["data"][0]
        layout = [plain.shape, plain.dtype.str, plain.strides, address, bool(plain.flags.writeable)]
        if plain.dtype.hasobject:
            return [*held, *array_items(obj)], [*layout, *_unseen_items(plain)]
        if issubclass(type(base), np.ndarray) or not plain.size:
            return held, layout  # its memory is its base's to compare
        return held, [*layout, memory.print_of(plain)]


def _unseen_items(array: Any) -> list[Any]:
    """What tells a change of texts, and of objects within records, which are not met one by one."""
    return (
        [] if array.dtype.kind == "O" else [array.tolist() if array.dtype.kind == "T" else zlib.crc32(array.tobytes())]
    )


ARRAY = register(ArrayKind())
CHOOSERS.append(lambda cls: ARRAY if issubclass(cls, np.ndarray) and solid(cls) is np.ndarray else None)


def array_class(cls: Any) -> Any:
    """A subclass of ndarray whose views can be taken without running code of the user's."""
    if not issubclass(type(cls), type) or not issubclass(cls, np.ndarray) or solid(cls) is not np.ndarray:
        raise Malformed("an array of no class")
    if runs_users_code(cls, "__array_finalize__") or runs_users_code(cls, "__del__") or issubclass(cls, np.memmap):
        raise CannotComeHome(f"a {cls.__name__} runs code when it is made", cls.__name__)
    return cls
