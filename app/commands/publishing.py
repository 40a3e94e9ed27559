"""Publishing a design from the command line: the version, and its line in the audit log."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from app.accounts import audit
from app.db import Tx
from app.loyalty.programmes import Programme
from app.passes import designs
from app.passes.layout import BrandValues, Design


def publish(
    tx: Tx, programme: Programme, template_dir: Path, values: BrandValues, *, now: datetime, actor: str
) -> tuple[Design, bool]:
    """The design, and whether it is a new version: equal files and values publish (and audit) nothing."""
    made = designs.publish(tx, programme_id=programme.id, template_dir=template_dir, values=values, now=now)
    is_new = made.created_at == now
    if is_new:
        audit.record(
            tx,
            at=now,
            actor=actor,
            brand_id=programme.brand_id,
            action="design.published",
            subject=f"design {made.id}",
            detail={"programme": programme.slug, "version": made.version, "template": made.template},
        )
    return made, is_new
