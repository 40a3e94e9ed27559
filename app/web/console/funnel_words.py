"""What the funnel's pages say: steps, changes, verdicts, and the one thing to do."""

from __future__ import annotations

from babel.dates import format_date, format_interval
from flask_babel import gettext, ngettext

from app.places.funnel_changes import Change, Traffic
from app.places.funnel_counts import Counts, Period, Step
from app.places.funnel_intervals import Share
from app.places.funnel_verdicts import Judgement, Loss
from app.places.placements import Kind
from app.places.store_tallies import COLUMNS
from app.reports import funnel_export
from app.reports.funnel_staff import StaffRow
from app.reports.funnel_table import Label, Row
from app.reports.funnel_today import TOLD
from app.reports.funnel_venue import Suggestion
from app.web.console.funnel_numbers import between, number, percent, points
from app.web.language import current_language


def _(words: str, **values: object) -> str:
    return str(gettext(words, **values))


def step(which: Step | str) -> str:
    """A step of the way, as the guest takes it."""
    return {
        "scan": _("Scanned the code"),
        "page": _("Saw the install page"),
        "form": _("Sent the form"),
        "code": _("Entered the code"),
        "added": _("Added the card"),
        "receipt": _("First receipt within a week"),
        "active": _("Active after 30 days"),
        "removed": _("Removed the card"),
    }[which]


def short(which: Step) -> str:
    """A step as a column's heading."""
    return {
        "page": _("Page"),
        "form": _("Form"),
        "code": _("Code"),
        "added": _("Card"),
        "receipt": _("Receipt"),
        "active": _("Active"),
    }[which]


def so_far(today: Counts, *, codes: bool) -> str:
    """The steps of a day that is not over: "Scans 12 · Page 11 · Form 5 · Card 3"."""
    told = [(_("Scans"), today.scan)]
    told += [(short(which), getattr(today, which)) for which in TOLD if codes or which != "code"]
    return " · ".join(f"{name}\u00a0{number(count)}" for name, count in told)


def at_step(which: Step) -> str:
    """Where guests are lost, within a sentence."""
    return {
        "page": _("before they see the page"),
        "form": _("at the form"),
        "code": _("at the code from the text message"),
        "added": _("when they add the card"),
        "receipt": _("before the first receipt"),
        "active": _("after the first receipt"),
    }[which]


def days(period: Period) -> str:
    """From when to when, short."""
    locale = current_language()
    if period.first == period.last:
        return str(format_date(period.first, "d MMMM", locale=locale))
    # Over a year's end "Nov 23 – 22" says nothing: the years belong to it then.
    parts = "MMMd" if period.first.year == period.last.year else "yMMMd"
    return str(format_interval(period.first, period.last, parts, locale=locale))


def change(one: Change) -> str:
    """A change with its interval, in points."""
    if one.turn == "too_few":
        return "–"
    gap = points((one.now.value or 0) - (one.before.value or 0))
    return f"{gap} ({points(one.low)}…{points(one.high)})"


def tone(turn: str, *, good: str = "up") -> str:
    """good, wrong or calm: colour only where it is no chance."""
    if turn not in ("up", "down"):
        return "calm"
    return "good" if turn == good else "wrong"


def change_told(one: Change) -> str:
    """The same in a sentence, for who hears it."""
    before = _("The week before: %(share)s.", share=share(one.before))
    match one.turn:
        case "up":
            return _("More than the week before, and no chance.") + " " + before
        case "down":
            return _("Fewer than the week before, and no chance.") + " " + before
        case "same":
            return _("No difference to the week before that could not be chance.") + " " + before
        case _:
            return _("Too few to compare with the week before.") + " " + before


def share(one: Share) -> str:
    """``45 % (38–52 %)``."""
    if one.value is None:
        return _("nobody yet")
    return f"{percent(one.value)} ({between(*one.interval())})"


def scans(one: Traffic) -> str:
    """How many more or fewer, in a few words."""
    match one.turn:
        case "up":
            return _("more than the %(n)s of the week before", n=number(one.before))
        case "down":
            return _("fewer than the %(n)s of the week before", n=number(one.before))
        case "same":
            return _("as the week before: %(n)s", n=number(one.before))
        case _:
            return _("the week before: %(n)s", n=number(one.before))


def loss(one: Loss) -> str:
    """``Loses guests at the code: 38 %, elsewhere 71 %``."""
    return _(
        "Loses guests %(where)s: %(here)s get through, elsewhere %(elsewhere)s.",
        where=at_step(one.step),
        here=percent(one.here.value),
        elsewhere=percent(one.elsewhere.value),
    )


def told(how: str) -> str:
    """What is said where no loss is: nothing to tell, nobody to compare with, or not enough to tell."""
    return {
        "alone": _("This is the only venue with guests: there is nothing to compare it with."),
        "cannot_tell": _("Cannot tell yet: what differs from the other venues may still be chance."),
        "nothing": _("At no step does this venue surely lose more guests than the others."),
    }[how]


def verdict(one: Judgement) -> tuple[str, str]:
    """Words and tone of a table's row."""
    if one.losses:
        return _("loses at: %(step)s", step=short(one.losses[0].step)), "wrong"
    return {
        "better": (_("better than the others"), "good"),
        "worse": (_("worse than the others"), "wrong"),
        "too_few": (_("cannot tell yet"), "calm"),
        "alone": ("", "calm"),
        "no_difference": (_("as the others"), "calm"),
    }[one.verdict]


def kind(one: Kind | str) -> str:
    """A kind of placement."""
    return {
        "table": _("Table"), "till": _("Till"), "door": _("Door"), "poster": _("Poster"), "other": _("Place"),
    }[one]  # fmt: skip


def label(one: Label, *, with_venue: bool = True) -> str:
    """What a row is called."""
    name = f"{kind(one.kind)} {one.name}" if one.kind else one.name
    return f"{name}, {one.venue}" if with_venue and one.venue else name


def spot(row: Row) -> str:
    """A placement with what becomes of its scans."""
    return _(
        "%(name)s: %(share)s of scans become cards",
        name=label(row.label, with_venue=False),
        share=share(row.flow.installed),
    )


def standing(row: StaffRow) -> tuple[str, str]:
    """Against the plan: words and tone."""
    return {
        "no_plan": (_("no plan"), "calm"),
        "ahead": (_("ahead of plan"), "good"),
        "on_plan": (_("on plan"), "calm"),
        "behind": (_("behind plan"), "warn"),
    }[row.standing]


def weighted(row: StaffRow) -> str:
    """What the cards count as."""
    cards = ngettext("%(num)s card", "%(num)s cards", row.cards)
    return _("%(cards)s, counts as %(weighted)s", cards=cards, weighted=number(row.weighted))


def advice(one: Suggestion) -> tuple[str, str]:
    """What to do, and why: one sentence each."""
    name = label(one.row.label, with_venue=False) if one.row else ""
    person = one.staff.member.name if one.staff else ""
    return {
        "first_scan": (
            _("Hang up the first code."),
            _("Nobody had scanned one by last night. Beside the till works best."),
        ),
        "first_day": (
            _("The first guests are here."),
            _("How far guests come, and what to do about it, is told from tomorrow on: of whole days."),
        ),
        "no_scans": (
            _("Look whether the codes still hang."),
            _("Nobody has scanned one for a week, and before they did."),
        ),
        "lose_page": (
            _("Try the code on a phone at the table."),
            _("Guests scan it and leave before the page is there: the network may be weak."),
        ),
        "lose_form": (
            _("Say what the card gives before they scan."),
            _("Guests see the page and do not fill in the form, more often than elsewhere."),
        ),
        "lose_code": (
            _("Look how text messages arrive here."),
            _("Guests ask for a code and do not enter it, more often than elsewhere."),
        ),
        "lose_added": (
            _("Help guests with the last tap: “Add to Wallet”."),
            _("They have the card on the screen and do not put it into the phone."),
        ),
        "lose_receipt": (
            _("Have every guest asked: “Do you have our card?”"),
            _("Cards are added here and then not shown at the till."),
        ),
        "lose_active": (
            _("Invite new guests to come again within the month."),
            _("They use the card once and do not come back, more often than elsewhere."),
        ),
        "weak_placement": (
            _("Move or replace the code: %(name)s.", name=name),
            _("Its scans become cards less often than those of the other places here."),
        ),
        "fewer_scans": (
            _("Look whether guests still see the codes."),
            _("There were surely fewer scans than the week before."),
        ),
        "fewer_get_on": (
            _("Look what has changed since the week before."),
            _("Surely more guests are lost %(where)s.", where=at_step(one.step) if one.step else ""),
        ),
        "more_removed": (
            _("Look what guests are told on the card."),
            _("Surely more of them removed it within a month than the week before."),
        ),
        "behind_plan": (
            _("Talk to %(name)s about the plan.", name=person),
            _("By this day of the month more cards were to be expected."),
        ),
        "strong_placement": (
            _("Hang more codes like this one: %(name)s.", name=name),
            _("Its scans become cards more often than those of the other places here."),
        ),
        "keep_on": (
            _("Go on asking: “Do you have our card?”"),
            _("Nothing stands out this week that could not be chance."),
        ),
    }[one.advice]


def headings() -> list[str]:
    """Columns of the file for people."""
    names = {
        "day": _("Day"), "venue": _("Venue"), "placement_kind": _("Kind of place"), "placement": _("Place"),
        "staff_member": _("Invited by"), "link": _("Code of the link"), "scan": _("Scans"),
        "page": _("Pages seen"),
        "in_app": _("In an app’s browser"), "form": _("Forms"), "code": _("Codes entered"),
        "added": _("Cards added"), "receipt": _("First receipts"), "again": _("Second visits"),
        "active": _("Active after 30 days"), "removed": _("Cards removed"),
    }  # fmt: skip
    return [names[column] for column in (*funnel_export.NAMES, *COLUMNS)]
