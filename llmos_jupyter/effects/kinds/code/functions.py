"""Functions, methods and descriptors. The code of a function is found, not sent."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from llmos_jupyter.effects import libraries
from llmos_jupyter.effects.code import all_codes
from llmos_jupyter.effects.kind import CHOOSERS, Kind, register
from llmos_jupyter.effects.kinds.code.references import GLOBAL
from llmos_jupyter.effects.objects.layout import (
    MISSING,
    class_dict,
    is_a,
    library_module,
    put_dict,
    solid,
)
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


class FunctionKind(Kind):
    """A function that code of the user's defines, or that a library's function made. Its code is found, not sent."""

    name = "function"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        place, inside, number = pack.places.find(obj)
        module = obj.__globals__.get("__name__")
        if module == "__main__" and "get_ipython" in obj.__globals__:
            module = None
        elif not library_module(module):
            raise CannotComeHome(f"the function {obj.__name__} was made outside the notebook's names")
        held = dict(obj.__dict__)
        return [
            [place, pack.value(inside), number],
            module,
            [obj.__name__, obj.__qualname__, obj.__module__ if type(obj.__module__) is str else None],
            pack.value(obj.__doc__ if type(obj.__doc__) is str else None),
            pack.values([obj.__defaults__, obj.__kwdefaults__, pack.keep(obj.__annotations__)]),
            pack.values(obj.__closure__ or ()),
            pack.attributes(held),
        ]

    def blank(self, content: list[Any], build: Builder) -> Any:
        place, module, names, _, _, closure, _ = content_of(content, 7)
        code = self._code(place, build)
        if module is None:
            namespace = build.known["the names"]
        else:
            namespace = object.__getattribute__(libraries.module(module), "__dict__")
        cells = build.values(closure)
        if len(cells) != len(code.co_freevars) or not {types.CellType}.issuperset(map(type, cells)):
            raise Malformed("a function that does not match its closure")
        return types.FunctionType(code, namespace, checked(checked(names, list)[0], str), None, tuple(cells))

    def _code(self, place: Any, build: Builder) -> types.CodeType:
        where, inside, number = content_of(place, 3)
        if where == "text":
            return build.cell.at(number)
        function = build.value(inside)
        codes = all_codes(function.__code__) if type(function) is types.FunctionType else []
        if where != "in" or type(number) is not int or not 0 <= number < len(codes):
            raise Malformed("a function without code")
        return codes[number]

    def decode(self, content: list[Any], build: Builder) -> Any:
        place, _, names, doc, parts, _, held = content_of(content, 7)
        defaults, keywords, annotations = build.values(content_of(parts, 3))
        name, path, module = content_of(names, 3)
        if type(defaults) not in (tuple, type(None)) or type(keywords) not in (dict, type(None)):
            raise Malformed("a function whose defaults are none")
        if type(annotations) is not dict:
            raise Malformed("a function whose annotations are none")
        checked(module, str, type(None))
        said = [checked(name, str), checked(path, str), module, checked(build.value(doc), str, type(None))]
        return self._code(place, build), said, (defaults, keywords, annotations), build.attributes(held)

    def state(self, obj: Any, new: Any) -> Any:
        said = [obj.__name__, obj.__qualname__, obj.__module__, obj.__doc__]
        return obj.__code__, said, (obj.__defaults__, obj.__kwdefaults__, obj.__annotations__), dict(obj.__dict__)

    def put(self, obj: Any, state: Any) -> None:
        code, said, (defaults, keywords, annotations), held = state
        if obj.__code__ is not code:
            obj.__code__ = code
        obj.__name__, obj.__qualname__, obj.__module__, obj.__doc__ = said
        obj.__defaults__, obj.__kwdefaults__ = defaults, keywords
        now = obj.__annotations__
        # Python makes this dict when it is asked for: an old function keeps its own as long as it says the same.
        if list(now) != list(annotations) or any(now[name] is not annotations[name] for name in now):
            obj.__annotations__ = annotations
        put_dict(obj.__dict__, held, dict)

    def fill(self, obj: Any, content: list[Any], build: Builder) -> None:
        state = self.decode(content, build)
        self.put(obj, state)
        obj.__annotations__ = state[2][2]

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        held = obj.__dict__
        code, said, parts, _ = self.state(obj, None)
        return [code, *said, *parts[:2], *held.values(), *(obj.__annotations__ or {}).values()], list(held)


FUNCTION = FunctionKind()
register(FUNCTION)


class FunctionChooser(Kind):
    """A function, which is a library's or the user's."""

    name = "any function"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if "<locals>" not in obj.__qualname__ and libraries.address_of(obj) is not None:
            return ["global", *GLOBAL.describe(obj, pack)]
        return ["function", *FUNCTION.describe(obj, pack)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        if content[:1] == ["global"]:
            return GLOBAL.blank(content[1:], build)
        return FUNCTION.blank(content[1:], build)

    def decode(self, content: list[Any], build: Builder) -> Any:
        return None if content[:1] == ["global"] else FUNCTION.decode(content[1:], build)

    def fill(self, obj: Any, content: list[Any], build: Builder) -> None:
        if content[:1] != ["global"]:
            FUNCTION.fill(obj, content[1:], build)

    def state(self, obj: Any, new: Any) -> Any:
        return None if new is None else FUNCTION.state(obj, new)

    def put(self, obj: Any, state: Any) -> None:
        if state is not None:
            FUNCTION.put(obj, state)

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        if library_module(obj.__globals__.get("__name__")):
            return [], None
        return FUNCTION.marks(obj)


register(FunctionChooser(), types.FunctionType)


class CellKind(Kind):
    """What a closure shares with the function around it."""

    name = "cell"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [pack.value(value)] if (value := _contents(obj)) is not MISSING else []

    def blank(self, content: list[Any], build: Builder) -> Any:
        return types.CellType()

    def decode(self, content: list[Any], build: Builder) -> Any:
        return build.value(content[0]) if content_of(content, 0, 1) else MISSING

    def state(self, obj: Any, new: Any) -> Any:
        return _contents(obj)

    def put(self, obj: Any, state: Any) -> None:
        if state is not MISSING:
            obj.cell_contents = state
        elif _contents(obj) is not MISSING:
            del obj.cell_contents

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return [_contents(obj)], None


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return MISSING


register(CellKind(), types.CellType)


class BuiltinKind(Kind):
    """A function written in C: a library's, or the method of an object, as `[].append`."""

    name = "builtin"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        owner = getattr(obj, "__self__", None)
        if owner is None or is_a(owner, (types.ModuleType, type)):
            if is_a(owner, type):
                return [pack.value(owner), obj.__name__]
            return [None, *GLOBAL.describe(obj, pack)]
        return [pack.value(owner), obj.__name__]

    def blank(self, content: list[Any], build: Builder) -> Any:
        owner, name, *rest = content_of(content, 2, 3)
        if owner is None:
            return GLOBAL.blank([name, *rest], build)
        owner = build.value(owner)
        cls = type(owner)
        if is_a(owner, type):
            if (found := class_dict(owner).get(checked(name, str))) is not None and cls is type:
                return found.__get__(None, owner) if type(found) in _C_METHODS else found
        elif solid(cls) is cls and cls.__module__ in ("builtins", "collections", "_io", "_random", "_thread"):
            found = class_dict(cls).get(checked(name, str))
            if type(found) in _C_METHODS:
                return found.__get__(owner)
        raise CannotComeHome("a method of an object that is not known", "builtin_function_or_method")


_C_METHODS = (types.MethodDescriptorType, types.WrapperDescriptorType, types.ClassMethodDescriptorType)
register(BuiltinKind(), types.BuiltinFunctionType, types.MethodWrapperType)


class DescriptorKind(Kind):
    """A method of a class written in C, not yet bound: `str.upper`."""

    name = "descriptor"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [pack.value(obj.__objclass__), obj.__name__]

    def blank(self, content: list[Any], build: Builder) -> Any:
        owner, name = content_of(content, 2)
        owner = build.value(owner)
        found = class_dict(owner).get(checked(name, str)) if is_a(owner, type) else None
        if type(found) not in _DESCRIPTORS:
            raise Malformed("a method that is none")
        return found


_DESCRIPTORS = (
    *_C_METHODS,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)
register(DescriptorKind(), *_DESCRIPTORS)


class WrapperKind(Kind):
    """Objects of a few others: bound methods, properties, static and class methods."""

    def __init__(self, name: str, fields: tuple[str, ...], make: Callable[..., Any]) -> None:
        self.name, self._fields, self._make = name, fields, make

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return pack.values([getattr(obj, field) for field in self._fields])

    def blank(self, content: list[Any], build: Builder) -> Any:
        parts = build.values(content_of(content, len(self._fields)))
        functions = (types.FunctionType, types.BuiltinFunctionType, type(None), type, types.MethodType)
        if self.name == "method" and (type(parts[0]) not in _FUNCTIONS or parts[1] is None):
            raise Malformed("a method that is none")
        if self.name == "property" and any(type(part) not in functions for part in parts[:3]):
            raise CannotComeHome("a property of what are no plain functions", "property")
        if self.name in ("staticmethod", "classmethod") and type(parts[0]) not in (*functions, property):
            raise CannotComeHome(f"a {self.name} of what is no plain function", self.name)
        return self._make(*parts)


_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, *_DESCRIPTORS)
register(WrapperKind("method", ("__func__", "__self__"), types.MethodType), types.MethodType)
register(WrapperKind("property", ("fget", "fset", "fdel", "__doc__"), property), property)
register(WrapperKind("staticmethod", ("__func__",), staticmethod), staticmethod)
register(WrapperKind("classmethod", ("__func__",), classmethod), classmethod)


class LibraryFunctionKind(Kind):
    """Functions of compiled libraries, which have types of their own: found by their names."""

    name = "library function"

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return GLOBAL.describe(obj, pack)

    def blank(self, content: list[Any], build: Builder) -> Any:
        return GLOBAL.blank(content, build)


LIBRARY_FUNCTION = register(LibraryFunctionKind())


_COMPILED = frozenset({"cython_function_or_method", "fused_cython_function", "ufunc", "_ArrayFunctionDispatcher"})


def _compiled(cls: type) -> Kind | None:
    return LIBRARY_FUNCTION if cls.__name__ in _COMPILED and cls.__module__ not in ("__main__",) else None


CHOOSERS.append(_compiled)
