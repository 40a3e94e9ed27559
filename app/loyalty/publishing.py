"""Publishing a template as a programme's design: the version, what it shows of the rules, its audit line."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from app.accounts import audit
from app.db import Tx
from app.loyalty.programmes import Programme
from app.loyalty.rules import Rules, StampRules, TieredRules
from app.passes import designs
from app.passes.layout import BrandValues, Design


def draft(
    programme: Programme, template_dir: Path, values: BrandValues, *, now: datetime
) -> designs.DesignDraft:
    """What would be published: the template with the brand's values, and what the programme's rules show."""
    return designs.draft(template_dir, with_rules(values, programme.rules), now=now)


def publish(
    tx: Tx, programme: Programme, drafted: designs.DesignDraft, *, now: datetime, actor: str
) -> tuple[Design, bool]:
    """The design, and whether it is a new version: equal files and values publish (and audit) nothing."""
    made = designs.publish(tx, drafted, programme_id=programme.id, now=now)
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


def with_rules(values: BrandValues, rules: Rules) -> BrandValues:
    """What a card shows of its programme's rules: how many stamps there are to collect, which tiers."""
    match rules:
        case StampRules(for_reward=for_reward):
            return replace(values, for_reward=for_reward)
        case TieredRules(tiers=tiers):
            return replace(values, tiers=tuple(tier.name for tier in tiers))
        case _:
            return values
