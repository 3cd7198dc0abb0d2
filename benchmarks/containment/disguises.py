"""Ways of a program to do later, or unseen, what it would do at once. Each is tried without inspection and without a
question, so that the sandbox alone, and what comes home from it, hold the program.
"""

from __future__ import annotations

_SHOWN_LATER = "class D:\n    def __repr__(self):\n        {act}\n        return 'd'\nd = D()"
# `{act}` stands for the program; names that it binds are the notebook's.
_WAYS = {
    "swallowed": "try:\n    {act}\nexcept BaseException:\n    pass",
    "in a future": "from concurrent.futures import ThreadPoolExecutor\n"
    "done = ThreadPoolExecutor(1).submit(lambda: {act}).exception()\ndel done",
    "time bomb": "import time\nbegan = time.monotonic()\nwhile time.monotonic() < began + RUNS_ON: pass\n{act}",
    "kernel only": "import os\nif os.getpid() == KERNEL:\n    {act}",
    "finalize": "import weakref\nclass D: pass\nd = D()\nkeep = weakref.finalize(d, lambda: {act})",
    "__del__": "class D:\n    def __del__(self):\n        {act}\nd = D()",
    "call_later": "import asyncio\nloop = asyncio.new_event_loop()\nasyncio.set_event_loop(loop)\n"
    "handle = loop.call_later(.1, lambda: {act})",
    "when shown": _SHOWN_LATER,
    "when described": "class D(dict):\n    def __len__(self):\n        {act}\n        return 1\n"
    "    __eq__ = __iter__ = items = keys = __getattribute__ = lambda self, *a: D.__len__(self)\nd = D(a=1)",
}
WAYS = ("plain", *_WAYS)


def disguised(code: str, way: str) -> str:
    """A program in one of `WAYS`; empty where that cannot be, as for one that awaits."""
    if way == "plain":
        return code
    if "await " in code:
        return ""
    return _WAYS[way].format(act=f"exec(get_ipython().transform_cell({code!r}), globals())")
