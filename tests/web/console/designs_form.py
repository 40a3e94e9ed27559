"""The design editor's form as requests send it: for tests of the editor's pages."""

from __future__ import annotations

import io
import re
from html import unescape
from typing import Any

from PIL import Image
from werkzeug.test import TestResponse

from app.accounts.users import Access
from app.db.identifiers import VenueId
from app.passes import drafts
from app.passes.drafts import Draft
from app.web.console.visit import Found, Visit
from tests.web.console.house import Desk, House

AT = "/console/cafe/designs/1"  # the cafe's programme is the first
DRAFT = f"{AT}/draft"


def inputs(page: TestResponse) -> dict[str, str]:
    """Everything that the editor's form would send."""
    form = re.search(r'<form class="designer".*?</form>', page.text, re.S)
    assert form, page.text[:500]
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        named = dict(re.findall(r'([a-z-]+)="([^"]*)"', tag))
        if named.get("type") in ("file",) or (named.get("type") == "radio" and " checked" not in tag):
            continue
        if "name" in named:
            found[named["name"]] = unescape(named.get("value", ""))
    for name, words in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', form[0], re.S):
        found[name] = unescape(words)
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form[0], re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = unescape(chosen[1]) if chosen else ""
    return found


def edit(desk: Desk, **changed: Any) -> TestResponse:
    """The form as it is, with these inputs typed anew (dots as __)."""
    typed = {name.replace("__", "."): value for name, value in changed.items()}
    return desk.client.post(DRAFT, data=inputs(desk.get(DRAFT)) | {"act": "save"} | typed)


def now_is(house: House) -> Draft:
    with house.database.read() as tx:
        found = drafts.open_draft(tx, house.cafe.programme.id)
    assert found
    return found


def png(size: tuple[int, int] = (1200, 500), colour: str = "#ffffff") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def visit_of(house: House, venues: frozenset[VenueId] | None) -> Visit:
    """Of somebody who may edit designs and sees the guests of these venues."""
    access = Access(brand_id=house.cafe.brand.id, role="marketer", venues=venues)
    return Visit(
        services=house.services, now=house.clock(), language="en",
        signed_in=(None, house.team["cafe", "marketer"]),  # type: ignore[arg-type]
        found=Found(house.cafe.brand, access, None),
    )  # fmt: skip
