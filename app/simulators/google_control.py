"""``/_sim``: what the outside may see and do that Google's interface has no word for, as JSON.

=============================  ==========================================================================
``GET classes, objects``       everything that was inserted; objects with ``hasUsers``
``GET notices``                the notifications ledger; ``?object=`` narrows it
``GET calls``                  calls to the interface, the last ``?count=`` (100), and the fullest second
``GET callbacks, lints``       what was told to issuers; what was accepted with a frown
``GET wallet/USER``            the cards that a guest holds, each with its class
``GET, PATCH faults``          the knobs of :class:`app.simulators.google_faults.Faults`
``DELETE faults``              good health
``POST save``                  ``{"object", "user"}``, or ``{"jwt", "user"}``: the guest taps a link
``POST remove``                ``{"object", "user"}``: the guest deletes the card
``POST mute``                  ``{"object", "muted"}``: the guest switches its notifications off
``POST callback``              ``{"object", "event", "spoil", "url"}``: one callback, told at once
``POST age``                   ``{"seconds"}``: let the notifications be so much longer ago
``POST revoke``                every token is unknown from now on
``POST service-account``       ``{"issuers", "name"}``: a new service account's JSON file
``PUT issuer/ID``              ``{"demo", "test_accounts", "callback_url"}``
=============================  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from app.simulators.google_callbacks import Callback
from app.simulators.google_errors import Refused
from app.simulators.google_faults import SPOILS, Faults
from app.simulators.google_save_page import GUEST, SavePage
from app.simulators.google_state import State
from app.simulators.google_tokens import Tokens
from app.simulators.http_server import Request, Response, json_response


class Control:
    """The control plane over a simulator's parts."""

    def __init__(
        self, state: State, tokens: Tokens, page: SavePage, new_account: Callable[..., dict[str, Any]]
    ) -> None:
        self.state, self.tokens, self.page, self._new_account = state, tokens, page, new_account

    async def answer(self, request: Request) -> Response:
        """``/_sim/…``; a refusal of Google's is 409 here, a fault of the caller 400."""
        path = request.path.removeprefix("/_sim/").strip("/").split("/")
        try:
            if request.method == "GET" or path == ["faults"]:
                return self._look(request, path)
            return json_response(await self._do(request.method, path, request.json() or {}))
        except Refused as refused:
            return json_response({"error": refused.message}, 409)
        except (KeyError, TypeError, AttributeError) as fault:
            return json_response({"error": f"{type(fault).__name__}: {fault}"}, 400)

    def _look(self, request: Request, path: list[str]) -> Response:
        state = self.state
        match request.method, path:
            case "GET", ["classes"]:
                return json_response(list(state.resources.classes.values()))
            case "GET", ["objects"]:
                objects = state.resources.objects.values()
                return json_response([state.resources.shown("object", body) for body in objects])
            case "GET", ["notices"]:
                only = request.query.get("object")
                return json_response(
                    [asdict(each) for each in state.notices.all if only in {None, each.target}]
                )
            case "GET", ["calls"]:
                count = int(request.query.get("count", "100"))
                calls = [asdict(each) for each in list(state.calls)[-count:]]
                return json_response({"busiest_second": state.bucket.busiest_second(), "calls": calls})
            case "GET", ["callbacks"]:
                return json_response([_told(each) for each in self.page.messenger.sent])
            case "GET", ["lints"]:
                return json_response(list(state.lints))
            case "GET", ["wallet", user]:
                return json_response(self.wallet(user))
            case "PATCH", ["faults"]:
                state.faults.turn(dict(request.json()))
            case "DELETE", ["faults"]:
                state.faults.turn(asdict(Faults()))
            case _, ["faults"]:
                pass
            case _:
                return json_response({"error": "no such thing"}, 404)
        return Response(state.faults.to_json(), content_type="application/json")

    async def _do(self, verb: str, path: list[str], said: dict[str, Any]) -> Any:
        user = said.get("user", GUEST)
        match verb, path:
            case "POST", ["save"] if "jwt" in said:
                self.page.save(link := await self.page.judged(said["jwt"]), user)
                return {"objects": link.objects}
            case "POST", ["save"]:
                self.page.hold(said["object"], user)
            case "POST", ["remove"]:
                self.page.remove(said["object"], user)
            case "POST", ["mute"]:
                muted = self.state.notices.muted
                (muted.add if said.get("muted", True) else muted.discard)(said["object"])
            case "POST", ["callback"]:
                if said.get("spoil", "") not in SPOILS:
                    raise ValueError(f"spoil: one of {', '.join(SPOILS[1:])}")
                return _told(
                    await self.page.messenger.tell_now(
                        said["event"], said["object"], said.get("spoil", ""), said.get("url", "")
                    )
                )
            case "POST", ["age"]:
                self.state.notices.age(float(said["seconds"]))
            case "POST", ["revoke"]:
                self.tokens.revoke()
            case "POST", ["service-account"]:
                return self._new_account(*said.get("issuers", []), name=said.get("name", "perkpass"))
            case "PUT", ["issuer", identifier]:
                self._issuer(identifier, said)
            case _:
                raise Refused(404, "no such thing")
        return {"done": True}

    def wallet(self, user: str) -> list[dict[str, Any]]:
        """The cards that this guest holds, each as ``{"object", "class", "notices"}``."""
        resources = self.state.resources
        return [
            {
                "object": (card := resources.objects[identifier]),
                "class": resources.classes[card["classId"]],
                "notices": [
                    asdict(each)
                    for each in self.state.notices.all
                    if each.target == identifier and each.outcome == "shown"
                ],
            }
            for identifier, users in resources.holders.items()
            if user in users
        ]

    def _issuer(self, identifier: str, said: dict[str, Any]) -> None:
        issuer = self.state.accounts.issuer(identifier)
        issuer.demo = bool(said.get("demo", issuer.demo))
        issuer.test_accounts = set(said.get("test_accounts", issuer.test_accounts))
        if "callback_url" in said:
            issuer.properties["callbackOptions"] = {"url": said["callback_url"]}


def _told(callback: Callback) -> dict[str, Any]:
    return asdict(callback) | {"body": callback.body.decode()}
