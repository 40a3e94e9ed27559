"""Work for seconds of a processor: one at a time."""

from __future__ import annotations

import threading
from queue import Queue

from app.errors import TooMany
from app.web.console.turns import Turns


def test_one_works_one_waits_and_the_third_comes_back_later() -> None:
    turns, told = Turns("busy", "Wait a little."), Queue[str]()

    def come() -> None:
        try:
            with turns.mine():
                told.put("worked")
        except TooMany as refused:
            told.put(refused.code)

    others = [threading.Thread(target=come) for _ in range(2)]
    with turns.mine():
        for other in others:
            other.start()
        assert told.get(timeout=5) == "busy"
        assert told.empty()
    assert told.get(timeout=5) == "worked"
    for other in others:
        other.join()
