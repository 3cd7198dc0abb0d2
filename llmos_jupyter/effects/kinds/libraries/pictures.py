"""Pillow: pictures by their pixels. Registered once `PIL.Image` is imported."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from PIL import Image

from llmos_jupyter.effects.kind import Kind, register
from llmos_jupyter.effects.objects.layout import attributes
from llmos_jupyter.effects.table import CannotComeHome, Malformed, checked, checked_ints, content_of

if TYPE_CHECKING:
    from llmos_jupyter.effects.build import Builder
    from llmos_jupyter.effects.pack import Packer

_MODES = frozenset({"1", "L", "LA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "I;16"})


class PictureKind(Kind):
    """A picture: mode, size, pixels, and the notes beside it."""

    name = "picture"
    changes = True

    def describe(self, obj: Any, pack: Packer) -> list[Any]:
        if obj.mode not in _MODES:
            raise CannotComeHome(f"it is a picture in the mode {obj.mode}")
        pixels = pack.buffers.place(obj.tobytes()) if obj.width and obj.height else b""
        return [obj.mode, list(obj.size), pixels, pack.value(obj.info)]

    def blank(self, content: list[Any], build: Builder) -> Any:
        return self._picture(content, build)

    def _picture(self, content: list[Any], build: Builder) -> Any:
        mode, size, pixels, _ = content_of(content, 4)
        width, height = content_of(checked_ints(size, most=1 << 24), 2)
        if checked(mode, str) not in _MODES:
            raise Malformed("a picture of no mode")
        data = bytes(build.buffers.bytes(pixels))
        if width * height > max(8 * len(data), 0):
            raise Malformed("a picture whose pixels do not fill it")
        try:
            return Image.frombytes(mode, (width, height), data) if data else Image.new(mode, (width, height))
        except (ValueError, TypeError, MemoryError):
            raise Malformed("a picture whose pixels do not fill it") from None

    def decode(self, content: list[Any], build: Builder) -> Any:
        info = build.value(content_of(content, 4)[3])
        if type(info) is not dict:
            raise Malformed("a picture without notes")
        return {**self._held(self._picture(content, build)), "info": info}

    def fill(self, obj: Any, content: list[Any], build: Builder) -> None:
        info = build.value(content_of(content, 4)[3])
        if type(info) is not dict:
            raise Malformed("a picture without notes")
        object.__getattribute__(obj, "__dict__")["info"] = info

    def _held(self, obj: Any) -> dict[str, Any]:
        return dict(object.__getattribute__(obj, "__dict__"))

    def state(self, obj: Any, new: Any) -> Any:
        return self._held(obj)

    def put(self, obj: Any, state: Any) -> None:
        held = object.__getattribute__(obj, "__dict__")
        held.clear()
        held.update(state)

    def children(self, obj: Any) -> list[Any]:
        return [attributes(obj).get("info")]

    def marks(self, obj: Any) -> tuple[list[Any], Any]:
        return self.children(obj), [obj.mode, obj.size, zlib.crc32(obj.tobytes()) if obj.width and obj.height else 0]


register(PictureKind(), Image.Image)
