"""Has a variable changed meanwhile? A digest of its value, cheap enough to be taken at every submission.

Numbers and text are digested whole; arrays and tables up to 64 MiB whole, larger ones by rows spread over them;
containers and other objects by what they hold, up to ten thousand parts. So a change deep inside something very large
can be missed.
"""

from __future__ import annotations

import hashlib
import sys
import types
import weakref
from typing import Any

WHOLE_BYTES = 64 * 2**20
SAMPLED_ROWS = 10_000
PARTS = 10_000
_PLAIN = (type(None), bool, int, float, complex, str, bytes, bytearray, range)
_BY_NAME = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)


class Seen:
    """A variable as it was: which object, and what it held. Keeps the object alive only where it must be."""

    def __init__(self, value: Any) -> None:
        self._digest = fingerprint(value)
        try:
            self._object: Any = weakref.ref(value)
        except TypeError:  # numbers, text, lists: kept, since their address could be given to another object
            self._object = lambda: value

    def is_still(self, value: Any) -> bool:
        return self._object() is value and fingerprint(value) == self._digest


def fingerprint(value: Any) -> bytes:
    """A digest, equal for an object that was not changed. Never raises for what the object's own code raises."""
    digest = hashlib.blake2b(digest_size=16)
    _Walk(digest.update).add(value)
    return digest.digest()


class _Walk:
    def __init__(self, feed: Any) -> None:
        self._feed = feed
        self._left = PARTS
        self._seen: set[int] = set()

    def add(self, value: Any) -> None:
        self._left -= 1
        self._feed(type(value).__qualname__.encode())
        try:
            if isinstance(value, _PLAIN):
                self._feed(value if isinstance(value, bytes | bytearray) else repr(value).encode("utf-8", "replace"))
                return
            if self._left >= 0 and id(value) not in self._seen and not isinstance(value, _BY_NAME):
                self._seen.add(id(value))
                self._parts(value)
                return
        except Exception:  # an object whose own code raises is known by its identity alone
            pass
        self._feed(id(value).to_bytes(8, "little"))

    def _parts(self, value: Any) -> None:
        numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
        if numpy and isinstance(value, numpy.ndarray):
            self._array(value)
        elif pandas and isinstance(value, pandas.DataFrame):
            self.add(tuple(value.columns))
            for place in range(value.shape[1]):
                self._column(value.iloc[:, place])
            self._column(value.index.to_series())
        elif pandas and isinstance(value, pandas.Series):
            self.add(value.name)
            self._column(value)
            self._column(value.index.to_series())
        elif isinstance(value, dict):
            self._feed(str(len(value)).encode())
            for key, item in value.items():
                if self._left < 0:
                    break
                self.add(key)
                self.add(item)
        elif isinstance(value, list | tuple | set | frozenset):
            self._feed(str(len(value)).encode())
            # A set's order is the same while the set is.
            for item in value:
                if self._left < 0:
                    break
                self.add(item)
        elif isinstance(held := getattr(value, "__dict__", None), dict):
            self.add(held)
        else:
            self._feed(id(value).to_bytes(8, "little"))

    def _array(self, array: Any) -> None:
        self._feed(f"{array.shape} {array.dtype}".encode())
        flat = array.reshape(-1) if array.flags.c_contiguous else array.ravel()
        if array.nbytes > WHOLE_BYTES:
            flat = flat[:: max(1, flat.size // SAMPLED_ROWS)]
        if array.dtype.hasobject:
            for item in flat[:: max(1, flat.size // SAMPLED_ROWS)]:
                self.add(item)
        else:
            self._feed(flat.tobytes())

    def _column(self, column: Any) -> None:
        """A Series whose values are digested by pandas itself."""
        from pandas.util import hash_pandas_object

        self._feed(f"{column.dtype} {len(column)}".encode())
        if column.memory_usage(deep=False) > WHOLE_BYTES:
            column = column.iloc[:: max(1, len(column) // SAMPLED_ROWS)]
        try:
            self._feed(hash_pandas_object(column, index=False, categorize=False).to_numpy().tobytes())
        except (TypeError, ValueError):  # lists and other values that cannot be hashed
            for item in column.iloc[:: max(1, len(column) // SAMPLED_ROWS)]:
                self.add(item)
