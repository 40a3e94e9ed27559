"""The town and its tills, on a small public page and a small API of our own."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx

from app.simulators.authority import Authority
from app.simulators.guest_browser import Guest
from app.simulators.http_server import Request, Response, json_response, listen, port_of
from app.simulators.phone import PhoneSettings
from app.simulators.sandbox import serve_phone, serve_town
from app.simulators.till import Till, TillKey
from app.simulators.town import Shop, Town, TownSettings, shops_from_json
from tests.simulators.pass_server import PassServer


class Service:
    """Issues a new card per guest and takes receipts."""

    def __init__(self, passes: PassServer) -> None:
        self.passes = passes
        self.receipts: list[tuple[str, str, dict[str, object]]] = []  # key, idempotency key, body
        self.statuses: list[int] = []
        self.installs = 0

    async def answer(self, request: Request) -> Response:
        if request.path == "/i/closed":
            return Response(b"closed", 410, "text/html")
        if request.path.startswith("/i/"):
            self.installs += 1
            body = self.passes.put(f"card-{self.installs}")
            return Response(body, 200, "application/vnd.apple.pkpass")
        assert request.path == "/api/v1/receipts"
        key, again = request.headers["authorization"], request.headers["idempotency-key"]
        self.receipts.append((key, again, request.json()))
        return json_response({}, self.statuses.pop(0) if self.statuses else 201)


def test_everybody_gets_a_card_and_buys_where_it_came_from(authority: Authority, credentials: Path) -> None:
    said: list[str] = []

    async def main() -> None:
        passes = PassServer(credentials)
        service = Service(passes)
        listening = [await passes.start(), await listen(service.answer, "127.0.0.1", 0)]
        base = f"http://127.0.0.1:{port_of(listening[1])}"
        town = Town(
            TownSettings(
                base_url=base,
                shops=(
                    Shop(f"{base}/i/one", TillKey("Nevsky", "ppk_one")),
                    Shop(f"{base}/i/two", TillKey("Ligovsky", "ppk_two")),
                    Shop(f"{base}/i/closed", TillKey("Closed", "ppk_three")),
                ),
                phones=PhoneSettings(root=authority.root, allow_http=True),
                population=6,
                install_pause=0,
            ),
            said=lambda kind, text: said.append(f"{kind} {text}"),
        )
        await town.settle_in()
        assert [phone.name for phone in town.phones][:2] == ["Анна", "Борис"]
        assert (town.news.installed, len(town.news.failures)) == (4, 2)
        for phone in (town.phones[0], town.phones[1]):
            (card,) = phone.cards.values()
            rung = await town.ring(phone, card, 45000)
            assert rung is not None
            assert rung.accepted
        assert [key for key, _, _ in service.receipts] == ["Bearer ppk_one", "Bearer ppk_two"]
        body = service.receipts[0][2]
        assert (body["card"], body["amount"], body["currency"]) == ("17", 45000, "RUB")
        service.statuses = [422]
        refused = await town.buy_something()
        assert refused is not None
        assert not refused.accepted
        assert "422" in town.news.failures[-1]
        (card,) = town.phones[0].cards.values()
        assert "45" not in await town.ring_for_page(town.phones[2], card)
        await town.stop()
        for server in listening:
            server.close()

    asyncio.run(main())
    assert said[0] == "installed Анна: Kofe"
    assert "receipt Анна: 450.00 RUB" in said


def test_the_same_seed_makes_the_same_purchases(authority: Authority, credentials: Path) -> None:
    async def main() -> list[object]:
        passes = PassServer(credentials)
        service = Service(passes)
        listening = [await passes.start(), await listen(service.answer, "127.0.0.1", 0)]
        base = f"http://127.0.0.1:{port_of(listening[1])}"
        shop = Shop(f"{base}/i/one", TillKey("Nevsky", "ppk_one"))
        phones = PhoneSettings(root=authority.root, allow_http=True)
        settings = TownSettings(base_url=base, shops=(shop,), phones=phones, population=2, install_pause=0)
        town = Town(settings)
        assert await town.buy_something() is None
        await town.settle_in()
        for _ in range(3):
            await town.buy_something()
        await town.stop()
        for server in listening:
            server.close()
        return [body["amount"] for _, _, body in service.receipts]

    assert asyncio.run(main()) == asyncio.run(main())


def test_a_till_asks_again_under_the_same_key_and_number(credentials: Path) -> None:
    async def main() -> None:
        service = Service(PassServer(credentials))
        service.statuses = [503, 201]
        listening = await listen(service.answer, "127.0.0.1", 0)
        async with httpx.AsyncClient() as client:
            till = Till(client, f"http://127.0.0.1:{port_of(listening)}/")
            rung = await till.ring(TillKey("Nevsky", "ppk_one"), "17", 45000)
        listening.close()
        assert rung.accepted
        first, second = service.receipts
        assert first == second
        assert first[2]["number"] == rung.number

    asyncio.run(main())


def test_shops_come_from_json() -> None:
    entries = json.loads(
        '[{"install_link": "http://127.0.0.1:8000/i/a", "venue": "Nevsky", "key": "ppk_one"}]'
    )
    assert shops_from_json(entries) == (
        Shop("http://127.0.0.1:8000/i/a", TillKey("Nevsky", "ppk_one", "RUB")),
    )


def test_a_town_can_be_watched_from_its_first_guest(authority: Authority, credentials: Path) -> None:
    async def main() -> None:
        passes = PassServer(credentials)
        service = Service(passes)
        listening = [await passes.start(), await listen(service.answer, "127.0.0.1", 0)]
        base = f"http://127.0.0.1:{port_of(listening[1])}"
        settings = TownSettings(
            base_url=base,
            shops=(Shop(f"{base}/i/one", TillKey("Nevsky", "ppk_one")),),
            phones=PhoneSettings(root=authority.root, allow_http=True),
            population=2,
            install_pause=0.2,
            receipt_pause=0.05,
        )
        address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        heard: list[str] = []
        town = asyncio.create_task(
            serve_town(settings, ready=address.set_result, said=lambda kind, _: heard.append(kind))
        )
        async with httpx.AsyncClient(follow_redirects=True) as browser:
            page = await browser.get(await asyncio.wait_for(address, 10))
            assert page.status_code == 200
            async with asyncio.timeout(20):
                while heard.count("receipt") < 2:  # noqa: ASYNC110  # the town tells, it does not signal
                    await asyncio.sleep(0.02)
            assert "Борис" in (await browser.get(str(page.url))).text
        town.cancel()
        await asyncio.gather(town, return_exceptions=True)
        for server in listening:
            server.close()

    asyncio.run(main())


def test_one_phone_can_be_held_in_the_hand(authority: Authority, credentials: Path) -> None:
    async def main() -> None:
        passes = PassServer(credentials)
        service = Service(passes)
        listening = [await passes.start(), await listen(service.answer, "127.0.0.1", 0)]
        base = f"http://127.0.0.1:{port_of(listening[1])}"
        address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        settings = PhoneSettings(root=authority.root, allow_http=True)
        phone = asyncio.create_task(
            serve_phone(settings, guest=Guest("Anna"), link=f"{base}/i/one", ready=address.set_result)
        )
        async with httpx.AsyncClient(follow_redirects=True) as browser:
            page = await browser.get(await asyncio.wait_for(address, 10))
        assert "Anna" in page.text
        assert "<svg" in page.text
        phone.cancel()
        await asyncio.gather(phone, return_exceptions=True)
        for server in listening:
            server.close()

    asyncio.run(main())
