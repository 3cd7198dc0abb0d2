"""Python's and NumPy's random generators, by their states."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np

from llmos_jupyter.effects.kind import Kind, register
from llmos_jupyter.effects.table import Malformed, checked, checked_ints, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer


class RandomKind(Kind):
    """A `random.Random`."""

    name = "Random"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        version, numbers, following = random.Random.getstate(obj)
        return [version, list(numbers), following]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return random.Random(0)

    def decode(self, content: list[Any], build: Builder) -> Any:
        return random_state(content)

    def state(self, obj: Any, new: Any) -> Any:
        return random.Random.getstate(obj)

    def put(self, obj: Any, state: Any) -> None:
        random.Random.setstate(obj, state)

    def children(self, obj: Any) -> list[Any]:
        return []

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return [], random.Random.getstate(obj)


def random_state(content: list[Any]) -> tuple[int, tuple[int, ...], float | None]:
    """The state of a Mersenne Twister as `random.setstate` takes it."""
    version, numbers, following = content_of(content, 3)
    checked_ints(numbers, most=(1 << 32) - 1)
    if version != 3 or len(numbers) != 625 or numbers[624] > 624 or type(following) not in (float, type(None)):
        raise Malformed("a random state that is none")
    return 3, tuple(numbers), following


register(RandomKind(), random.Random)


_BITS = {name: getattr(np.random, name) for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")}


class BitsKind(Kind):
    """A bit generator: its state, as plain numbers."""

    name = "bit generator"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        return [type(obj).__name__, plain_state(obj.state)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        name = content_of(content, 2)[0]
        if type(name) is not str or name not in _BITS:
            raise Malformed("a random generator of no kind")
        return _BITS[name](0)

    def decode(self, content: list[Any], build: Builder) -> Any:
        name, state = content_of(content, 2)
        if type(name) is not str or name not in _BITS:
            raise Malformed("a random generator of no kind")
        made = _BITS[name](0)
        wanted = read_state(state, made.state)
        try:
            made.state = wanted
        except (ValueError, TypeError, KeyError, OverflowError):
            raise Malformed("a random state that is none") from None
        return made.state

    def fits(self, obj: Any, content: list[Any], build: Builder) -> None:
        if content[:1] != [type(obj).__name__]:
            raise Malformed("a random state of another generator")

    def state(self, obj: Any, new: Any) -> Any:
        return obj.state

    def put(self, obj: Any, state: Any) -> None:
        obj.state = state

    def children(self, obj: Any) -> list[Any]:
        return []

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return [], plain_state(obj.state)


def plain_state(state: Any) -> Any:
    """A random state as plain values."""
    if type(state) is dict:
        return [[key, plain_state(value)] for key, value in state.items()]
    if issubclass(type(state), np.ndarray):
        return ["numbers", str(state.dtype), state.tolist()]
    return hex(state) if type(state) is int else state


def read_state(said: Any, like: Any) -> Any:
    """The state that plain values describe, of the form of `like`."""
    if type(like) is dict:
        pairs = checked(said, list)
        found = {key: value for key, value in (content_of(pair, 2) for pair in pairs) if type(key) is str}
        if found.keys() != like.keys():
            raise Malformed("a random state that is none")
        return {key: read_state(found[key], like[key]) for key in like}
    if issubclass(type(like), np.ndarray):
        _, _, numbers = content_of(said, 3)
        if len(checked_ints(numbers, most=(1 << 64) - 1)) != like.size:
            raise Malformed("a random state that is none")
        return np.array(numbers, like.dtype)
    if type(like) is int:
        try:
            return int(checked(said, str), 16)
        except ValueError:
            raise Malformed("a random state that is none") from None
    if said != like and type(said) not in (int, float):
        raise Malformed("a random state that is none")
    return said


BITS = register(BitsKind(), *_BITS.values())


class GeneratorKind(Kind):
    """`numpy.random.Generator` and `RandomState`: around a bit generator; RandomState keeps one number beside."""

    name = "random generator"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if type(obj) is np.random.Generator:
            return ["Generator", pack.value(obj.bit_generator), None]
        state = obj.get_state(legacy=False)
        return ["RandomState", pack.value(obj._bit_generator), [state["has_gauss"], state["gauss"]]]

    def blank(self, content: list[Any], build: Builder) -> Any:
        name, bits, _ = content_of(content, 3)
        bits = build.value(bits)
        if type(bits) not in _BITS.values() or name not in ("Generator", "RandomState"):
            raise Malformed("a random generator without bits")
        return np.random.Generator(bits) if name == "Generator" else np.random.RandomState(bits)

    def decode(self, content: list[Any], build: Builder) -> Any:
        name, _, beside = content_of(content, 3)
        if name == "Generator" or beside is None:
            return None
        has, gauss = content_of(beside, 2)
        return checked(has, int), checked(gauss, float)

    def state(self, obj: Any, new: Any) -> Any:
        if type(obj) is np.random.Generator:
            return None
        state = obj.get_state(legacy=False)
        return state["has_gauss"], state["gauss"]

    def put(self, obj: Any, state: Any) -> None:
        if state is not None and type(obj) is np.random.RandomState:
            now = obj.get_state(legacy=False)
            if now["bit_generator"] == "MT19937":
                obj.set_state({**now, "has_gauss": state[0], "gauss": state[1]})

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        bits = obj.bit_generator if type(obj) is np.random.Generator else obj._bit_generator
        return [bits], self.state(obj, None)


register(GeneratorKind(), np.random.Generator, np.random.RandomState)
