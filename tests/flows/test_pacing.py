"""The phone's patience is a budget: a burst is few pushes, what is held is seen, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import re
from urllib.request import urlopen

from app.simulators.apns import RunningApns
from app.simulators.guest_browser import Guest
from tests.flows.conftest import Phones
from tests.flows.installation import Installation
from tests.flows.test_stories import Tell, eventually, ring_up, shown


def test_a_burst_of_receipts_is_few_pushes_and_loses_nothing(
    patient_installation: Installation, apns: RunningApns, tell: Tell
) -> None:
    service = patient_installation

    async def story(phones: Phones) -> None:
        phone = await phones.new()
        card = await phone.install_from_page(service.link(), Guest())
        await phone.settle()
        token = phone.push_tokens[card.key[0]]
        held_before = deliveries(service, "held")

        answers = [await ring_up(service, card, 1_000_00) for _ in range(12)]
        assert answers[-1]["card"]["balance"] == 460_00
        await eventually(  # a slow machine's burst lasts longer than the budget
            lambda: shown(phone, card, "Points") == "460" or deliveries(service, "held") > held_before,
            "the last balance, or a promise of it",
        )
        assert 1 <= accepted(apns, token) <= 3  # the first at once; what followed shared the next

        # The budget is used up soon: from then on a change waits for the phone, not the phone for us.
        balance = 460
        while deliveries(service, "held") == held_before:
            assert balance < 600, "no budget ever ends"
            await ring_up(service, card, 1_000_00)
            balance += 30
            await asyncio.sleep(1.3)
        assert deliveries(service, "held") == held_before + 1
        pushes = accepted(apns, token)
        assert pushes == 3
        assert shown(phone, card, "Points") != str(balance)

        phone.pull_to_refresh(phone.cards[card.key])
        await eventually(
            lambda: shown(phone, card, "Points") == str(balance), "what was held, when asked for"
        )
        await ring_up(service, card, 1_000_00)
        await asyncio.sleep(1.3)
        assert accepted(apns, token) == pushes
        assert deliveries(service, "held") == held_before + 1  # one promise stands for all changes
        assert phone.log_lines == []

    tell(story)


def deliveries(service: Installation, state: str) -> int:
    """How many promises are in this state, as an operator's monitor reads it."""
    with urlopen(f"{service.url}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    found = re.search(rf'^perkpass_deliveries{{state="{state}"}} ([0-9.]+)$', text, re.MULTILINE)
    assert found, text
    return int(float(found[1]))


def answers(apns: RunningApns, token: str) -> list[int]:
    """What Apple answered to the pushes to this token, in order."""
    with urlopen(f"{apns.control_url}/pushes?token={token}", timeout=30) as answer:
        return [push["status"] for push in json.load(answer)["pushes"]]


def accepted(apns: RunningApns, token: str) -> int:
    """How many pushes to this token Apple took."""
    return answers(apns, token).count(200)
