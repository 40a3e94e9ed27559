"""When and where a card comes forward by itself: what iOS makes of dates and places on each style.

Source: Apple, "Showing a pass on the Lock Screen": a date is for boarding passes, event tickets and generic
passes; coupons, store cards and generic passes need locations as soon as they have any other relevance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.passes.findings import Finding, inform, warn
from app.passes.lint_rules_values import date_fault

LONGEST_SPAN = timedelta(hours=24)
BY_PLACE_ALONE = ("storeCard", "coupon")
WITH_LOCATIONS = (*BY_PLACE_ALONE, "generic")


def relevant_dates(document: Mapping[str, Any]) -> Iterator[Finding]:
    """The list of iOS 18: what it drops, and what only one of two versions reads."""
    entries = document.get("relevantDates")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        where = f"relevantDates[{index}]"
        if fault := _fault(entry):
            yield warn("relevant-date-dropped", where, f"iOS drops this entry; {fault}")
        elif "date" in entry and "relevantDate" not in entry:
            yield inform(
                "relevant-date-half", where, "iOS 18 reads relevantDate, iOS 26 reads date; write both"
            )


def _fault(entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return "write a table with date, or with startDate and endDate"
    moments = [entry[key] for key in ("startDate", "endDate", "date", "relevantDate") if key in entry]
    if not ("date" in entry or {"startDate", "endDate"} <= set(entry)):
        return "write date, or startDate and endDate"
    for moment in moments:
        if not isinstance(moment, str):
            return "write the moment as text"
        if fault := date_fault(moment):
            return fault
    if {"startDate", "endDate"} <= set(entry):
        length = datetime.fromisoformat(entry["endDate"]) - datetime.fromisoformat(entry["startDate"])
        if not timedelta(0) <= length <= LONGEST_SPAN:
            return "end after the start, at most 24 hours later"
    return None


def relevance(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Dates where only places count, and anything where places are missing."""
    dates = [key for key in ("relevantDate", "relevantDates") if key in document]
    for key in dates:
        if set(BY_PLACE_ALONE) & document.keys():
            yield warn(
                "relevance-unused", key, "a store card or coupon comes forward by place alone; leave it out"
            )
    if "relevantDate" in document:
        yield inform("key-deprecated", "relevantDate", "iOS 18 and later read relevantDates in its place")
    others = [key for key in (*dates, "beacons") if document.get(key)]
    if others and not document.get("locations") and set(WITH_LOCATIONS) & document.keys():
        yield warn("relevance-needs-places", others[0], "counts only where the card has locations too")


RULES = (relevant_dates, relevance)
