"""A new design, told aloud: tried on the editor's phone, published, rolled out to a guest's, taken back."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable

import httpx
import pytest

from app.simulators.guest_browser import Guest
from tests.flows.conftest import Phones
from tests.flows.installation import Installation
from tests.flows.test_stories import eventually, now_on

Tell = Callable[[Callable[[Phones], Awaitable[None]]], None]
CLUB = ("pechka", "club")


@pytest.mark.once  # how cards move is tried on every database in tests/worker and tests/passes
def test_a_design_is_tried_published_rolled_out_and_taken_back(
    installation: Installation, tell: Tell
) -> None:
    folder, logged = installation.directory / "club", len(installation.log())

    async def perkpass(*arguments: str) -> dict[str, object]:
        done = await asyncio.to_thread(installation.perkpass, "design", *arguments, "--json")
        said: dict[str, object] = json.loads(done.stdout)
        return said

    async def story(phones: Phones) -> None:
        guest, editor = await phones.new("guest"), await phones.new("editor")
        card = await guest.install_from_page(installation.link(), Guest(name="Мария"))
        await guest.settle()
        before = now_on(guest, card).wallet_pass.document["backgroundColor"]

        # The editor's own phone gets the draft, and follows what is saved.
        await perkpass("draft", "start", *CLUB)
        address = str((await perkpass("draft", "test-card", *CLUB))["address"])
        async with httpx.AsyncClient() as web:
            answer = await web.get(address)
            assert (await web.get(f"{address}x")).status_code == 404
        assert answer.headers["Content-Type"] == "application/vnd.apple.pkpass"
        trial = editor.install(answer.content)
        await editor.settle()
        assert trial.registered
        assert "Тестовая карта" in [field.label for field in trial.wallet_pass.fields("ru")]
        await perkpass("export", *CLUB, str(folder))
        layout = folder / "layout.toml"
        changed = re.sub(
            r"^backgroundColor = .*", 'backgroundColor = "rgb(1, 2, 3)"', layout.read_text(), flags=re.M
        )
        layout.write_text(changed)
        await perkpass("import", *CLUB, str(folder))

        def on_trial() -> bool:
            return bool(now_on(editor, trial).wallet_pass.document["backgroundColor"] == "rgb(1, 2, 3)")

        await eventually(on_trial, "the draft on the editor's phone")
        assert now_on(guest, card).wallet_pass.document["backgroundColor"] == before

        # Guests' cards follow in stages, silently.
        published = await perkpass("draft", "publish", *CLUB)
        shown = list(guest.banners)
        await perkpass("rollout", "start", *CLUB)
        for _ in range(2):
            assert (await perkpass("rollout", "state", *CLUB, "--wait"))["state"] == "waiting"
            await perkpass("rollout", "go-on", *CLUB)
        assert (await perkpass("rollout", "state", *CLUB, "--wait"))["state"] == "done"

        def on_guests() -> bool:
            return bool(now_on(guest, card).wallet_pass.document["backgroundColor"] == "rgb(1, 2, 3)")

        await eventually(on_guests, "the new design on the guest's phone")
        assert list(guest.banners) == shown

        # So soon after the last silent push the phone's patience is spent: the guest looks by themselves.
        await perkpass("rollout", "back", *CLUB)
        await until_no_card_is_left(perkpass)
        guest.pull_to_refresh(now_on(guest, card))
        await eventually(lambda: not on_guests(), "the design before on the guest's phone")
        editor.delete(now_on(editor, trial))
        await editor.settle()
        late = await phones.new("late")
        newcomer = await late.install_from_page(installation.link(), Guest(name="Пётр"))
        assert newcomer.wallet_pass.document["backgroundColor"] == before
        versions = json.loads(installation.perkpass("design", "list", *CLUB, "--json").stdout)
        assert [each["version"] for each in versions][-1] == published["version"]
        assert versions[-1]["cards"] == 0
        assert "Traceback" not in installation.log()[logged:]

    tell(story)


async def until_no_card_is_left(perkpass: Callable[..., Awaitable[dict[str, object]]]) -> None:
    """The roll-out itself is over a minute later, when no card can be made of its version any more."""
    for _ in range(15):
        if (await perkpass("rollout", "state", *CLUB))["cards"] == 0:
            return
        await asyncio.sleep(1)
    raise AssertionError("cards of the new version are left")
