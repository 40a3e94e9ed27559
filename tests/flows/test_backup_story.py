"""A backup is brought back while phones know more than it does: they end at what the service says now."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from app.simulators.guest_browser import Guest
from app.simulators.phone import Phone
from tests.flows.conftest import Phones
from tests.flows.installation import Installation
from tests.flows.load import code_of
from tests.flows.test_stories import Tell, eventually, now_on, ring_up, shown


def test_phones_that_know_more_than_the_backup_follow_the_restored_service(
    patient_installation: Installation, tmp_path: Path, tell: Tell
) -> None:
    service, archive = patient_installation, str(tmp_path / "perkpass.backup")

    async def story(phones: Phones) -> None:
        phone, later = await phones.new("early"), await phones.new("later")
        card = await phone.install_from_page(service.link(), Guest(name="Мария"))
        await phone.settle()
        await ring_up(service, card, 1_000_00)
        await eventually(lambda: shown(phone, card, "Points") == "130", "the receipt before the backup")
        await asyncio.to_thread(service.perkpass, "backup", archive)
        backed_up = now_on(phone, card).last_modified

        for _ in range(2):
            await ring_up(service, card, 1_000_00)
        await eventually(lambda: shown(phone, card, "Points") == "190", "two receipts that will be lost")
        lost_card = await later.install_from_page(service.link(), Guest(name="Пётр"))
        await later.settle()
        tag, modified = _tag(phone), now_on(phone, card).last_modified
        assert modified != backed_up

        await asyncio.to_thread(service.stop)
        await asyncio.to_thread(service.perkpass, "restore", archive, "--force")
        await asyncio.to_thread(service.start)

        # A card that was issued after the backup is nobody's now: it stays as it is, and is told so plainly.
        later.pull_to_refresh(now_on(later, lost_card))
        await later.settle()
        assert [line for line in later.log_lines if "Authentication failure" in line]
        assert shown(later, lost_card, "Points") == "100"
        refused = await asyncio.to_thread(
            service.call, "redemptions", {"card": code_of(lost_card), "points": 1_00, "amount": 100_00,
                                          "currency": "RUB"},
        )  # fmt: skip
        assert refused.status_code == 404

        answer = await ring_up(service, card, 2_000_00)
        assert answer["card"]["balance"] == 190_00  # 130 as restored, and 60 of now
        await eventually(
            lambda: now_on(phone, card).last_modified != modified, "the phone to hear of it", seconds=30
        )
        await eventually(lambda: shown(phone, card, "Points") == "190", "the restored truth")
        assert await _balance(service, code_of(card)) == 190_00
        assert int(_tag(phone)) > int(tag)
        assert phone.log_lines == []

        answer = await ring_up(service, card, 1_000_00)
        await eventually(lambda: shown(phone, card, "Points") == "220", "one more, as if nothing had been")
        assert phone.log_lines == []

        newcomer = await later.install_from_page(service.link(), Guest(name="Пётр"))
        await later.settle()
        await ring_up(service, newcomer, 1_000_00)
        await eventually(lambda: shown(later, newcomer, "Points") == "130", "a card in place of the lost one")

    tell(story)


def _tag(phone: Phone) -> str:
    (record,) = phone.services.values()
    assert record.tag is not None
    return record.tag


async def _balance(service: Installation, code: str) -> int:
    headers = {"Authorization": f"Bearer {service.keys['nevsky', 'till 1']}"}
    async with httpx.AsyncClient() as till:
        answer = await till.get(f"{service.url}/api/v1/cards/{code}", headers=headers)
    return int(answer.json()["balance"])
