"""The roll-out of a version: to a few cards first, then to more; stopped and taken back with one button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.db import Tx
from app.loyalty.programmes import Programme
from app.passes import rollouts
from app.passes.designs import DesignVersion
from app.passes.rollouts import STAGES, Status, Verb
from app.reports.rollout_numbers import RolloutNumbers, rollout_numbers
from app.web.console.designs_work import programme_of
from app.web.console.forms import done, see
from app.web.console.registry import Console, act
from app.web.console.visit import Visit
from app.web.console.wording import explain
from app.web.services import Services

_AT = "/<brand>/designs/<int:programme_id>/rollout"


@dataclass(frozen=True, slots=True)
class View:
    """Where a roll-out stands, for the page."""

    status: Status | None  # None: nothing was ever rolled out
    numbers: RolloutNumbers | None
    version: int  # that it leads to
    waiting: int  # cards of earlier versions, where the newest could be rolled out to them
    newest: int  # the number of that version
    following: int | None  # percent of the next stage
    verbs: tuple[Verb, ...]  # what there is to do

    @property
    def stages(self) -> tuple[int, ...]:
        """Percent of the cards, one stage after the other."""
        return STAGES


def register(console: Console, _services: Services) -> None:
    """``/console/<brand>/designs/<int:programme_id>/rollout/…``."""
    act(console, f"{_AT}/start", needs="design.publish")(start)
    act(console, f"{_AT}/go-on", needs="design.publish")(go_on)
    act(console, f"{_AT}/stop", needs="design.publish")(stop)
    act(console, f"{_AT}/back", needs="design.publish")(back)


def view_of(tx: Tx, programme: Programme, versions: list[DesignVersion]) -> View:
    """The last roll-out, and whether another could begin; ``versions`` are newest first."""
    status = rollouts.state(tx, programme.id, cards={each.id: each.cards for each in versions})
    verbs = rollouts.offered(tx, programme.id)
    newest = next((each for each in versions if each.withdrawn_at is None), None)
    waiting = (
        sum(each.cards for each in versions if newest and each.version < newest.version)
        if "start" in verbs
        else 0
    )
    number = newest.version if newest else 0
    if status is None or (status.rollout.state == "taken_back" and waiting):
        return View(None, None, number, waiting, number, None, verbs)
    held = status.rollout
    target = next((each.version for each in versions if each.id == held.target_design_id), 0)
    numbers = rollout_numbers(tx, held.target_design_id, since=held.started_at)
    stage = held.stage + 1
    following = STAGES[stage] if held.state == "waiting" and stage < len(STAGES) else None
    return View(status, numbers, target, waiting, number, following, verbs)


def start(visit: Visit, programme_id: int) -> ResponseReturnValue:
    """Give the newest version to the first cards."""
    return _acted(visit, programme_id, rollouts.start, _("The first cards get the new look now."))


def go_on(visit: Visit, programme_id: int) -> ResponseReturnValue:
    """To the next stage, or on where it was stopped."""
    return _acted(visit, programme_id, rollouts.go_on, _("More cards get the new look now."))


def stop(visit: Visit, programme_id: int) -> ResponseReturnValue:
    """Move no more."""
    return _acted(visit, programme_id, rollouts.stop, _("Stopped. Cards that have the new look keep it."))


def back(visit: Visit, programme_id: int) -> ResponseReturnValue:
    """Every card looks as before."""
    return _acted(visit, programme_id, rollouts.back, _("Taken back: cards get their former look again."))


def _acted(visit: Visit, programme_id: int, verb: Callable[..., object], words: str) -> ResponseReturnValue:
    with visit.services.database.write() as tx:
        found = programme_of(tx, visit, programme_id)
        verb(tx, found.id, brand_id=visit.brand.id, now=visit.now, actor=visit.actor)
    visit.services.wakeup.ring()
    done(words)
    return see(url_for("console.designs_programme", programme_id=programme_id) + "#rollout")


explain(
    {
        "not-the-newest": lambda _fault: _("Only the newest version can be rolled out."),
        "nothing-before": lambda _fault: _("There is no earlier version: every card has this look already."),
        "rolling-out-already": lambda _fault: _("Cards are being moved already: stop that first."),
        "rollout-elsewhere": lambda _fault: _(
            "Somebody else has pressed a button meanwhile: look at it again."
        ),
        "no-rollout": lambda _fault: _("Nothing is being rolled out."),
    }
)
