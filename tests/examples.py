"""How many random examples a test looks at: enough to see a slip at each change, all of them in `make test-all`."""

from __future__ import annotations

import os

ALL = os.environ.get("LLMOS_EXAMPLES") == "all"
SHARE = 8
LEAST = 25


def examples(whole: int) -> int:
    """`whole` of them in `make test-all`, else an eighth; never fewer than 25."""
    return whole if ALL else max(min(whole, LEAST), whole // SHARE)
