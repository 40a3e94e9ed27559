"""``perkpass places``: what happens where the codes hang."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from app.accounts import brands
from app.commands.answers import json_option, show_list, to_json
from app.commands.shell import opened
from app.errors import BadInput
from app.places import funnel as funnels
from app.places import tallies, venues
from app.places.funnel_counts import way
from app.places.funnel_intervals import Share

_VERDICTS: Mapping[funnels.Verdict, str] = {
    "alone": "nothing to compare with",
    "too_few": "too few to compare",
    "no_difference": "as the others",
    "better": "better than the others",
    "worse": "worse than the others",
}
_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def places() -> None:
    """What happens where the codes hang."""


@places.command()
@click.argument("brand")
@click.option("--by", type=click.Choice(list(funnels.BY)), default="venue", show_default=True)
@click.option("--venue", help="slug: of this venue alone")
@click.option(
    "--days", type=click.IntRange(1, funnels.MOST_DAYS), help="the last so many, today included [30]"
)
@click.option("--from", "first", type=_DAY, help="first day, like 2026-07-01; with --to")
@click.option("--to", "last", type=_DAY, help="last day, included")
@json_option
def funnel(
    brand: str,
    by: str,
    venue: str | None,
    days: int | None,
    first: datetime | None,
    last: datetime | None,
    as_json: bool,
) -> None:
    """How far guests of BRAND came: scanned, saw the page, sent the form, proved the number, added the card.

    RECEIPT is a first receipt within 7 days of the scan, AGAIN one on another day within 30; ACTIVE is who
    came again and kept the card for these 30 days. Each visit counts once a step, in the day in which it
    began, by its venue's own clock. Shares come with the interval in which the true one lies 95 times of
    100; what is called better or worse is no chance. IN_APP counts pages shown in an app's own browser, where
    a card cannot be added.
    """
    with opened() as shell, shell.database.read() as tx:
        owner = brands.brand_by_slug(tx, brand)
        place = venues.venue_by_slug(tx, owner.id, venue) if venue else None
        zone = place.time_zone if place else owner.time_zone
        period = _period(days, first, last, zone, shell.now)
        found = funnels.funnel(
            tx,
            owner.id,
            by=funnels.BY[by],
            period=period,
            now=shell.now.astimezone(UTC),
            venue_id=place.id if place else None,
        )
    if as_json:
        click.echo(to_json(_document(brand, venue, by, period, found)))
        return
    kinds = [kind for kind in funnels.COUNTED if found.codes or kind != "code"]
    records = [_record(by, entry.name, entry.flow, _verdict(entry), kinds) for entry in found.entries]
    if len(records) > 1:
        records.append(_record(by, "all", found.total, "", kinds))
    show_list(
        records,
        as_json=False,
        empty=f"Nobody came by a {by} of {venue or brand} from {period.first} to {period.last}.",
    )


@places.command()
def recount() -> None:
    """Count the funnel anew from its events, and mend what differs: after somebody wrote into the database.

    Guests and tills go on meanwhile.
    """
    with opened() as shell, shell.database.write() as tx:
        mended = tallies.mend(tx)
    click.echo(f"Mended {mended} counts." if mended else "Every count is what the events say.")


def _period(
    days: int | None, first: datetime | None, last: datetime | None, zone: str, now: datetime
) -> funnels.Period:
    if (first is None) != (last is None):
        raise BadInput("half-period", "Give --from and --to together", field="from" if last else "to")
    if first is None or last is None:
        return funnels.last_days(days or 30, time_zone=zone, now=now.astimezone(UTC))
    if days is not None:
        raise BadInput("two-periods", "Give --days, or --from with --to", field="days")
    return funnels.period(first.date(), last.date())


def _record(by: str, name: str, flow: funnels.Flow, verdict: str, kinds: Sequence[str]) -> dict[str, object]:
    return {
        by: name,
        **{kind: getattr(flow.now, kind) for kind in kinds},
        "added_of_scans": _percent(flow.installed),
        "compared": verdict,
    }


def _percent(share: Share) -> str:
    if share.value is None:
        return ""
    low, high = share.interval()
    return f"{share.value:.0%} ({low:.0%}…{high:.0%})"


def _verdict(entry: funnels.Entry) -> str:
    said = _VERDICTS[entry.verdict]
    return f"{said}, loses at {entry.loses_at}" if entry.loses_at else said


def _document(
    brand: str, venue: str | None, by: str, period: funnels.Period, found: funnels.Funnel
) -> dict[str, Any]:
    return {
        "brand": brand,
        "venue": venue,
        "by": by,
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        "groups": [
            {
                by: entry.name,
                **_steps(entry.flow, found.codes),
                "verdict": entry.verdict,
                "loses_at": entry.loses_at,
            }
            for entry in found.entries
        ],
        "total": _steps(found.total, found.codes),
    }


def _steps(flow: funnels.Flow, codes: bool) -> dict[str, Any]:
    return {
        **{step: getattr(flow.now, step) for step in funnels.COUNTED},
        "shares": {
            **{step: _share(flow.share(step, codes=codes)) for step in way(codes=codes)},
            "added_of_scans": _share(flow.installed),
        },
    }


def _share(share: Share) -> dict[str, float | None]:
    low, high = share.interval()
    return {"value": share.value, "low": low, "high": high}
