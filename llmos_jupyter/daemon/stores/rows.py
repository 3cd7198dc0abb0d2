"""Rows of the database as the protocol's types."""

from __future__ import annotations

import sqlite3

from pydantic import TypeAdapter, ValidationError

from llmos_jupyter.protocol import DecisionRecord, Options, Record, Session, Task

_record: TypeAdapter[Record] = TypeAdapter(Record)


def stored_record(text: str) -> Record:
    """A record as it was stored; what other versions added to it is left out, and of a type that only a newer version
    knows its name is told. Raises ValidationError."""
    try:
        return _record.validate_json(text, extra="ignore")
    except ValidationError as error:
        problem = error.errors()[0]
        if problem["type"] != "union_tag_invalid":
            raise
        why = f"a record of a newer version of llmos, {problem['ctx']['tag']}"
        return DecisionRecord(round=0, decision="noted", why=why)


def task_of(row: sqlite3.Row) -> Task:
    return Task(
        id=row["id"],
        number=row["number"],
        kind=row["kind"],
        text=row["text"],
        options=Options.model_validate_json(row["options"], extra="ignore"),
        session=Session.model_validate_json(row["origin"], extra="ignore"),
        state=row["state"],
        reason=row["reason"],
        created=row["created"],
        updated=row["updated"],
        # Of an older database that is salvaged there is none.
        feedback=row["feedback"] if "feedback" in row.keys() else "",  # noqa: SIM118
    )
