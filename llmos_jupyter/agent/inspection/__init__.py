"""The static check of a candidate against the live namespace, and hints after a failed rehearsal."""

from llmos_jupyter.agent.inspection.check import inspect
from llmos_jupyter.agent.inspection.hints import column_hints

__all__ = ["column_hints", "inspect"]
