"""What stands around every address of the console, those that lead nowhere included."""

from __future__ import annotations

import time

import pytest
from itsdangerous import TimestampSigner
from werkzeug.test import EnvironBuilder

from app.accounts import brands, reserved
from app.accounts.sessions import LIFETIME
from app.errors import Conflict
from app.web.body_limits import MOST_BODY, MOST_UPLOAD
from app.web.console.cookies import Cookies
from tests.accounts.world import a_brand_draft
from tests.web.console.house import House


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/console/nothing/at/all/here", 404), ("GET", "/console/-/brand/more", 404),
        ("POST", "/console/cafe/members", 405), ("GET", "/console/cafe/people/9223372036854775808", 404),
        ("GET", "/console", 303), ("GET", "/console/bakery/people", 404),
    ],
)  # fmt: skip
def test_an_address_that_leads_nowhere_is_guarded_like_any(
    house: House, method: str, address: str, status: int
) -> None:
    answer = house.desk().client.open(address, method=method)
    assert answer.status_code == status
    assert answer.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    guests = house.stranger().get("/consoles")
    assert "default-src 'self'; style-src" not in guests.headers.get("Content-Security-Policy", "")


def test_tokens_of_links_are_not_guessed_at_without_end(house: House) -> None:
    desk = house.stranger(address="198.51.100.9")
    statuses = [desk.get(f"/console/invited/{n}").status_code for n in range(22)]
    assert statuses == [404] * 20 + [429] * 2
    assert house.stranger(address="203.0.113.5").get("/console/invited/x").status_code == 404


class _Yore(TimestampSigner):
    """Signs as it was done a session's life ago."""

    def get_timestamp(self) -> int:
        return int(time.time() - LIFETIME.total_seconds()) - 60


def test_a_cookie_of_long_ago_has_no_allowance(house: House) -> None:
    cookies = Cookies(house.services)
    old = _Yore(house.services.secret_key, salt="console session").sign("token").decode()
    for value, most in ((cookies.signed("token"), MOST_UPLOAD), (old, MOST_BODY)):
        environ = EnvironBuilder("/console/cafe/").get_environ()
        environ["HTTP_COOKIE"] = f"{cookies.name}={value}"
        assert cookies.most_body(environ) == most
    assert cookies.read(old) is None


def test_no_brand_is_called_as_a_page_of_the_console_by_whatever_way_it_comes(house: House) -> None:
    own = {route.rule.split("/")[1] for route in house.console.routes} - {"<brand>", "-", ""}
    assert own == reserved.SLUGS
    with house.database.write() as tx:
        for slug in sorted(own):
            with pytest.raises(Conflict, match="page of the console"):
                brands.create_brand(tx, a_brand_draft(slug), now=house.clock(), actor="cli:anna")
