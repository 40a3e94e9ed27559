"""Alembic's entry: runs the migrations on the connection that app.db.schema hands over."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from app.db.columns import Id, Json, UtcDateTime, metadata


def _render(kind: str, thing: Any, autogen: AutogenContext) -> str | Literal[False]:  # noqa: ARG001
    if kind == "type":
        for name, column_type in (("Id", Id), ("Json", Json)):
            if thing is column_type:
                return f"columns.{name}"
        if isinstance(thing, UtcDateTime):
            return "columns.UtcDateTime()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=_render,
    render_as_batch=True,
    compare_type=False,
)
with context.begin_transaction():
    context.run_migrations()
