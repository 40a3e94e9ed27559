"""Whoever asks before sending again sends nothing twice and knows every coin, whatever goes wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.simulators.sms_gateways import RunningSms
from app.sms.gateway import OutcomeUnknown, Outgoing, Receipt, ReceiptState, Unreachable, Verdict
from app.sms.smsc import SmscGateway
from tests.sms.accounts import smsc
from tests.sms.ears import Ear

_TROUBLES = st.fixed_dictionaries(
    {
        "lose_requests": st.sampled_from([0.0, 0.1]),
        "lose_answers": st.sampled_from([0.0, 0.4]),
        "break_answers": st.sampled_from([0.0, 0.3]),
        "duplicate_receipts": st.integers(0, 2),
        "shuffle_receipts": st.booleans(),
        "early_receipts": st.booleans(),
    }
)
_WORDS = st.lists(
    st.text(st.sampled_from("abя€😀 "), min_size=1, max_size=90).filter(str.strip), min_size=1, max_size=6
)

_REFERENCES = count(1)
"""Never one twice: the gateway stops equal requests for a minute, and examples are quicker."""


@dataclass
class Books:
    """What a careful sender knows."""

    prices: dict[int, int] = field(default_factory=dict)


async def carefully(gateway: SmscGateway, outgoing: Outgoing, books: Books) -> None:
    """Send until it was taken; after a doubt ask first."""
    doubt = False
    for _ in range(60):
        try:
            if doubt:
                found = await gateway.status(
                    reference=outgoing.reference, number=outgoing.number, provider_id=None
                )
                assert found is not None
                if found.state is not ReceiptState.UNKNOWN_TEXT:
                    assert found.price is not None
                    books.prices[outgoing.reference] = found.price.amount
                    return
            answer = await gateway.send(outgoing)
        except Unreachable:
            continue
        except OutcomeUnknown:
            doubt = True
            continue
        assert answer.verdict is Verdict.ACCEPTED
        assert answer.price is not None
        books.prices[outgoing.reference] = answer.price.amount
        assert answer.parts == gateway.measure(outgoing.text).parts
        return
    raise AssertionError("never taken")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(troubles=_TROUBLES, words=_WORDS)
def test_every_text_is_taken_once_and_every_coin_is_known(
    sms: RunningSms, ear: Ear, troubles: dict[str, object], words: list[str]
) -> None:
    sms.ask(lambda simulator: simulator.ledger.clear())
    before = sms.ask(lambda simulator: simulator.ledger.accounts["smsc"].spent)
    ear.heard.clear()
    sms.turn(**troubles)
    texts = [
        Outgoing(reference=next(_REFERENCES), number=f"+7900{index:07d}", text=said)
        for index, said in enumerate(words)
    ]
    books = Books()
    gateway = smsc(sms)

    async def all_at_once() -> None:
        try:
            await asyncio.gather(*(carefully(gateway, each, books) for each in texts))
        finally:
            await gateway.close()

    asyncio.run(all_at_once())
    sms.settled()
    taken = sms.ask(lambda simulator: list(simulator.ledger.texts))
    assert sorted((text.to, text.body) for text in taken) == [(each.number, each.text) for each in texts]
    spent = sms.ask(lambda simulator: simulator.ledger.accounts["smsc"].spent) - before
    assert sum(books.prices.values()) == spent == sum(text.cost for text in taken)
    heard = [receipt for callback in ear.heard for receipt in gateway.hear(callback)]
    delivered = Counter(
        receipt.reference
        for receipt in heard
        if isinstance(receipt, Receipt) and receipt.state is ReceiptState.DELIVERED
    )
    copies = 1 + int(str(troubles["duplicate_receipts"]))
    assert delivered == {each.reference: copies for each in texts}
