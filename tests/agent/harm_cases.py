"""All cases of the harm test: right code that must run as it was written, whatever the request's words."""

from __future__ import annotations

from tests.agent import (
    harm_cases_follow,
    harm_cases_given,
    harm_cases_languages,
    harm_cases_live,
    harm_cases_order,
    harm_cases_python,
    harm_cases_scripts,
    harm_cases_words,
)
from tests.agent.harm_cases_spaces import SPACES, Case

CASES: tuple[Case, ...] = (
    *harm_cases_order.CASES,
    *harm_cases_follow.CASES,
    *harm_cases_given.CASES,
    *harm_cases_words.CASES,
    *harm_cases_python.CASES,
    *harm_cases_live.CASES,
    *harm_cases_languages.CASES,
    *harm_cases_scripts.CASES,
)

__all__ = ["CASES", "SPACES", "Case"]
