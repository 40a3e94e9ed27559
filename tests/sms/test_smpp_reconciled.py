"""Whatever goes wrong on the way, the centre's log and what we were told agree to the last text and coin."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.simulators.smpp_faults import Faults
from app.sms.gateway import Answer, OutcomeUnknown, ReceiptState, Unreachable, Verdict
from tests.sms.smpp_stage import Stage, outgoing, play

_MISHAPS: list[dict[str, Any]] = [
    {},
    {"drops_taken": 1},
    {"drops_untaken": 1},
    {"next_answers": [0x58]},
    {"next_answers": [0x14, 0x08]},
    {"next_answers": [0x0B]},
    {"next_answers": [0, 0x0B]},  # the first part is taken and charged, the second refused
    {"next_answers": [0x0404]},
    {"nack": 1},
    {"unbind_after": 1},
    {"receipts_first": True},
    {"receipt_copies": 3},
    {"enroute": "after"},
    {"receipts": "text", "receipt_dates": "seconds"},
    {"receipts": "options"},
    {"answer_delay_ms": 5},
]
_TRIES = 40


@given(
    st.lists(st.tuples(st.sampled_from(_MISHAPS), st.integers(1, 3), st.booleans()), min_size=1, max_size=6)
)
@settings(max_examples=20)
@example([({"next_answers": [0, 0x0B]}, 1, True), ({}, 1, True)])
def test_no_text_goes_twice_and_the_books_agree(steps: list[tuple[dict[str, Any], int, bool]]) -> None:
    async def scenario(stage: Stage) -> None:
        outcomes: dict[int, Answer | None] = {}
        unsure = 0  # parts of texts that may have been taken
        reference = 0
        for mishap, together, long in steps:
            stage.centre.faults.turn({name: getattr(Faults(), name) for name in Faults.__dataclass_fields__})
            stage.centre.faults.turn(
                {name: list(v) if isinstance(v, list) else v for name, v in mishap.items()}
            )
            batch = range(reference + 1, reference + 1 + together)
            reference += together
            ended = await asyncio.gather(*(_keep_promise(stage, each, long) for each in batch))
            outcomes.update(zip(batch, ended, strict=True))
            unsure += sum(2 if long else 1 for answer in ended if answer is None)
        stage.centre.faults.turn({name: getattr(Faults(), name) for name in Faults.__dataclass_fields__})
        arrived = [int(text.text.split()[0]) for text in stage.centre.log.texts()]
        answers = {each: answer for each, answer in outcomes.items() if answer}
        accepted = {each for each, answer in answers.items() if answer.verdict is Verdict.ACCEPTED}
        unknown = outcomes.keys() - answers.keys()
        assert len(arrived) == len(set(arrived)), "a text went twice"
        assert accepted <= set(arrived) <= accepted | unknown
        assert stage.centre.log.spent == 300 * len(stage.centre.log.parts)
        known = sum(answer.parts or 0 for answer in answers.values())
        assert 0 <= stage.centre.log.spent - 300 * known <= 300 * unsure
        await stage.until(lambda: accepted <= _delivered(stage))
        assert _delivered(stage) <= accepted

    def _delivered(stage: Stage) -> set[int]:
        return {
            each.reference
            for each in stage.receipts
            if each.state is ReceiptState.DELIVERED and each.reference is not None
        }

    play(scenario, gateway={"first_pause": 0.005, "part_pause": 0.005})


async def _keep_promise(stage: Stage, reference: int, long: bool) -> Answer | None:
    """Try again where that is safe, as a worker does; None: the outcome is unknown."""
    text = f"{reference} " + ("кофе " * 20 if long else "coffee")
    for _ in range(_TRIES):
        try:
            answer = await stage.gateway.send(outgoing(reference, text))
        except Unreachable:
            await asyncio.sleep(0.02)
            continue
        except OutcomeUnknown:
            return None
        if answer.verdict is not Verdict.RETRY:
            return answer
    raise AssertionError("the centre never had room")
