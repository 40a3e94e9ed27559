"""What an examination finds on a machine that is well but for two things: for the pictures of its page."""

from __future__ import annotations

from typing import Final

from app.examination.looks import Look
from app.sentences import say

_DATA = "/var/lib/perkpass"

LOOKS: Final = (
    Look(say("settings"), "ok", say("every variable makes sense")),
    Look(say("data directory"), "ok", say("%(path)s is writable, by its owner alone", path=_DATA)),
    Look(
        say("disk"),
        "warning",
        say(
            "%(space)s GB are left where %(path)s lies: free some space, a backup needs twice the database",
            space="1.6",
            path=_DATA,
        ),
    ),
    Look(say("template %(name)s", name="bonus_card"), "ok", say("cards can be made from it")),
    Look(say("template %(name)s", name="stamp_card"), "ok", say("cards can be made from it")),
    Look(say("template %(name)s", name="tiered_card"), "ok", say("cards can be made from it")),
    Look(say("database"), "ok", say("reachable, schema %(revision)s", revision="0001")),
    Look(say("worker"), "ok", say("alive %(seconds)s seconds ago", seconds=12)),
    Look(say("queue of pushes"), "ok", say("%(due)s due, %(waiting)s wait", due=0, waiting=41)),
    Look(
        say("backup"),
        "warning",
        say("the last one is %(days)s days old: does perkpass backup run each night?", days=3),
    ),
)
"""The sentences are those of app.examination, as it says them."""
