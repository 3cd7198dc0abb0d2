"""All cases of the harm test: right code that must run as it was written, whatever the request's words."""

from __future__ import annotations

from tests.scenarios.right_programs import (
    cases_follow,
    cases_given,
    cases_languages,
    cases_live,
    cases_order,
    cases_python,
    cases_scripts,
    cases_words,
)
from tests.scenarios.right_programs.cases_spaces import SPACES, Case

CASES: tuple[Case, ...] = (
    *cases_order.CASES,
    *cases_follow.CASES,
    *cases_given.CASES,
    *cases_words.CASES,
    *cases_python.CASES,
    *cases_live.CASES,
    *cases_languages.CASES,
    *cases_scripts.CASES,
)

__all__ = ["CASES", "SPACES", "Case"]
