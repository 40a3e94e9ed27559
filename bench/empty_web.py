"""What the WSGI server and Flask cost by themselves: applications that do nothing, served like ours.

    python -m bench.empty_web flask|bare

The server is the one of ``perkpass web`` with all its settings, ``PERKPASS_PORT`` included; as many requests
work at a time as there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from app.commands.serve import make_server
from app.settings import load
from app.web.bodies import BodiesFirst

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def flask() -> WSGIApplication:
    """One route, which answers 204."""
    from flask import Flask

    app = Flask(__name__)

    @app.get("/readyz")
    def nothing() -> tuple[str, int]:
        return "", 204

    return _in_turn(app)


def bare() -> WSGIApplication:
    """A function that answers 204 to everything."""

    def application(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("204 No Content", [])
        return ()

    return _in_turn(application)


def _in_turn(application: WSGIApplication) -> WSGIApplication:
    return BodiesFirst(application, at_work=load().web_threads)


if __name__ == "__main__":
    make_server(load(), f"bench.empty_web:{sys.argv[1]}").serve()
