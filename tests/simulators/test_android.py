"""A phone with Android: a way to the button, a card that is Google's, and the page that shows it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.simulators.android import AndroidPhone
from app.simulators.google_api import Call
from app.simulators.google_server import GoogleSettings, GoogleSimulator
from app.simulators.guest_browser import Guest, InstallFailed
from app.simulators.http_server import Request, Response, listen, port_of, redirect
from app.simulators.phone_page import PhonePage
from app.simulators.till import Holder, ShownCard
from tests.simulators.google_caller import ANNA, CLASS, link, robot
from tests.simulators.pass_server import PNG

pytestmark = pytest.mark.once
SKINNY = {"loyaltyObjects": [{"id": ANNA["id"]}]}
IN_BOTH = {
    "defaultValue": {"language": "en", "value": "Points"},
    "translatedValues": [{"language": "ru", "value": "Баллы"}],
}
ROWS = [
    {
        "twoItems": {
            "startItem": {"firstValue": {"fields": [{"fieldPath": "object.loyaltyPoints.balance"}]}},
            "endItem": {"firstValue": {"fields": [{"fieldPath": "class.rewardsTier"}]}},
        }
    },
    {"oneItem": {"item": {"firstValue": {"fields": [{"fieldPath": "object.textModulesData['gift']"}]}}}},
]


class House:
    """A service in small: its page leads to Google once it was looked at three times."""

    def __init__(self, google: GoogleSimulator, client: httpx.AsyncClient) -> None:
        self.google, self.client = google, client
        self.writer = google.state.accounts.register(robot(), *google.settings.issuers)
        self.url = ""
        self.looks = 0
        self.joined: list[dict[str, str]] = []
        self.spoilt = False  # Google takes no link of ours

    async def answer(self, request: Request) -> Response:
        match request.method, request.path:
            case "GET", "/i/one":
                form = '<form method="post"><input type="text" name="name"><button>ok</button></form>'
                return Response(form.encode(), content_type="text/html")
            case "POST", "/i/one":
                self.joined.append(request.form())
                return redirect("/card")
            case "GET", "/card":
                self.looks += 1
                button = '<a href="/save">Add to <b>Google Wallet</b></a>' if self.looks > 2 else "soon"
                return Response(button.encode(), content_type="text/html")
            case "GET", "/save":
                signed = link(robot(), SKINNY, **({"aud": "apple"} if self.spoilt else {}))
                return redirect(f"{self.google.links.address}/{signed}")
            case "GET", "/logo.png":
                return Response(PNG, content_type="image/png")
        return Response(b"gone", 410, "text/html")

    def call(self, verb: str, path: str, body: dict[str, Any]) -> None:
        done = self.google.api.answer(
            self.writer,
            Call(verb, f"/walletobjects/v1/{path}", {}, "application/json", json.dumps(body).encode()),
        )
        assert done.status == 200, done.document

    def issue(self) -> None:
        picture = {"sourceUri": {"uri": f"{self.url}/logo.png"}}
        template = {"cardTemplateOverride": {"cardRowTemplateInfos": ROWS}}
        shared = {"programLogo": picture, "classTemplateInfo": template, "hexBackgroundColor": "#4a1c14"}
        tier = {"rewardsTier": "Gold", "rewardsTierLabel": "Tier"}
        self.call("POST", "loyaltyClass", CLASS | shared | tier)
        gift = {"id": "gift", "header": "Gift", "body": "<b>Cake</b>"}
        points = {"label": "Points", "localizedLabel": IN_BOTH, "balance": {"string": "100"}}
        code = {"type": "QR_CODE", "value": "17", "alternateText": "1-7"}
        own = {"loyaltyPoints": points, "textModulesData": [gift], "barcode": code}
        self.call("POST", "loyaltyObject", ANNA | own)

    def receipt(self, balance: str) -> None:
        points = {"loyaltyPoints": {"balance": {"string": balance}}, "notifyPreference": "NOTIFY_ON_UPDATE"}
        self.call("PATCH", f"loyaltyObject/{ANNA['id']}", points)


Story = Callable[[House, AndroidPhone, httpx.AsyncClient], Awaitable[None]]


def tell(story: Story) -> None:
    async def ring(phone: Holder, card: ShownCard) -> str:
        return f"rung for {card.code} of {phone.name}"

    async def main() -> None:
        google = GoogleSimulator(GoogleSettings())
        await google.start()
        async with httpx.AsyncClient() as client:
            house = House(google, client)
            server = await listen(house.answer, "127.0.0.1", 0)
            house.url = f"http://127.0.0.1:{port_of(server)}"
            house.issue()
            phone = AndroidPhone("Анна", "anna@gmail.example", google, client=client)
            page = PhonePage([], ring=ring, androids=[phone])
            async with httpx.AsyncClient(base_url=await page.start(), follow_redirects=True) as browser:
                await asyncio.wait_for(story(house, phone, browser), 20)
            await page.stop()
            phone.stop()
            server.close()
        await google.stop()

    asyncio.run(main())


def test_a_guest_saves_a_card_and_the_page_shows_what_google_holds() -> None:
    async def story(house: House, phone: AndroidPhone, browser: httpx.AsyncClient) -> None:
        assert "В Кошельке пока нет карт" in (await browser.get("/androids/0")).text
        house.receipt("101")  # nobody holds it yet: no news of this phone's
        await phone.save_from_page(f"{house.url}/i/one", Guest(name="Анна"))
        assert house.joined == [{"name": "Анна"}]
        assert house.looks == 3
        assert [card.code for card in phone.cards] == ["17"]
        assert [event for _, event, _ in phone.journal] == ["added"]
        text = (await browser.get("/androids/0")).text
        for shown in ("Баллы", "101", "Tier", "Gold", "&lt;b&gt;Cake&lt;/b&gt;", "#4a1c14", "<svg", "1-7"):
            assert shown in text
        assert "Карта обновлена" not in text
        logo = await browser.get("/androids/0/cards/0/logo")
        assert (logo.content, logo.headers["content-type"]) == (PNG, "image/png")
        assert (await browser.get("/androids/0/cards/0/hero")).status_code == 404
        assert "rung for 17 of Анна" in (await browser.post("/androids/0/receipt", data={"card": "0"})).text
        assert "Points" in (await browser.post("/androids/0/language")).text

    tell(story)


def test_a_fourth_notification_of_a_day_is_none_and_a_muted_card_shows_none() -> None:
    async def story(house: House, phone: AndroidPhone, browser: httpx.AsyncClient) -> None:
        await phone.save_from_page(f"{house.url}/card", Guest(name="Анна"))
        seen = 0

        def watch() -> None:
            nonlocal seen
            seen += 1

        phone.observers.append(watch)
        assert 'aria-checked="false"' in (await browser.post("/androids/0/notify", data={"card": "0"})).text
        house.receipt("110")
        assert 'class="notice"' not in (await browser.get("/androids/0")).text
        await browser.post("/androids/0/notify", data={"card": "0"})
        for balance in ("120", "130", "140"):
            house.receipt(balance)
        text = (await browser.get("/androids/0")).text
        assert text.count('class="notice"') == 2  # with the muted one three: that is all of a day's
        assert "140" in text
        assert "без уведомления: три за сутки уже были" in text
        assert seen == 6  # four receipts and two switches
        await browser.post("/androids/0/delete", data={"card": "0"})
        assert phone.cards == []
        assert [event for _, event, _ in phone.journal][-1] == "removed"

    tell(story)


def test_a_way_that_ends_before_the_card_says_where() -> None:
    async def story(house: House, phone: AndroidPhone, _: httpx.AsyncClient) -> None:
        with pytest.raises(InstallFailed, match="/i/two: 410: gone"):
            await phone.save_from_page(f"{house.url}/i/two", Guest(name="Анна"))
        house.looks, house.spoilt = 2, True
        with pytest.raises(InstallFailed, match=r"/gp/v/save/.*: 400"):
            await phone.save_from_page(f"{house.url}/card", Guest(name="Анна"))
        assert phone.cards == []

    tell(story)
