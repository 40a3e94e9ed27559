"""Publishing: numbered versions that never change, and half folders that leave nothing behind."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from app.accounts import brands
from app.accounts.tables import brand
from app.db import Database, Tx
from app.db.identifiers import DesignId, ProgrammeId
from app.errors import Misconfigured, NotFound
from app.loyalty.tables import programme
from app.passes import designs
from app.passes.bundle import build, prepare
from app.passes.content import LocalizedText
from app.passes.findings import DesignRefused
from app.passes.layout import BrandValues
from app.passes.press import LOOK_AGAIN, Press
from app.passes.signing import Signer
from app.passes.tables import design, design_file
from app.simulators.authority import Authority
from tests.passes import card

TEMPLATE = Path(__file__).parents[2] / "pass_templates" / "tiered_card"
VALUES: BrandValues = card.values(
    texts={
        "rules": LocalizedText("5 % с каждого чека", "5 % of every receipt"),
        "support": LocalizedText("Пишите нам", "Write to us"),
        "privacy_url": LocalizedText("https://example.com/ru/p", "https://example.com/en/p"),
    },
    logo_text=LocalizedText("Берёзка бонус", "Berezka bonus"),
)


def a_programme(tx: Tx, credentials: str = "file:/nowhere") -> ProgrammeId:
    brand_id = tx.execute(
        insert(brand)
        .values(
            slug="berezka",
            name="Берёзка",
            texts={
                "ru": {"programme": "Бонус", "support": "Пишите", "privacy_url": "https://example.com/ru"},
                "en": {"programme": "Bonus", "support": "Write", "privacy_url": "https://example.com/en"},
            },
            time_zone="Europe/Moscow",
            currency="RUB",
            language="ru",
            pass_type_identifier=card.PASS_TYPE,
            team_identifier=card.TEAM,
            credentials=credentials,
            created_at=card.NOW,
        )
        .returning(brand.c.id)
    ).scalar_one()
    return ProgrammeId(
        tx.execute(
            insert(programme)
            .values(
                brand_id=brand_id, slug="bonus", kind="bonus", name="Бонус", rules={}, created_at=card.NOW
            )
            .returning(programme.c.id)
        ).scalar_one()
    )


def publish(
    tx: Tx, programme_id: ProgrammeId, *, template: Path = TEMPLATE, values: BrandValues = VALUES
) -> designs.Design:
    drafted = designs.draft(template, values, now=card.NOW)
    return designs.publish(tx, drafted, programme_id=programme_id, now=card.NOW)


def test_a_published_version_is_read_back_as_it_was(database: Database, signer: Signer) -> None:
    with database.write() as tx:
        published = publish(tx, a_programme(tx))
    with database.read() as tx:
        stored = designs.newest(tx, published.programme_id)
        assert designs.design(tx, published.id) == stored == published
    assert stored.version == 1
    assert stored.template == "tiered_card"
    assert stored.files["strip@3x.png"] == (TEMPLATE / "strip@3x.png").read_bytes()
    once, again = (
        card.unpacked(
            build(
                card.content(),
                card.IDENTITY,
                prepare(each, signer, web_service_url=card.SERVICE),
                signing_time=card.NOW,
            )
        )["manifest.json"]
        for each in (published, stored)
    )
    assert once == again  # whatever order the database keeps keys in


def test_versions_count_up_and_old_ones_stay(database: Database) -> None:
    with database.write() as tx:
        programme_id = a_programme(tx)
        first = publish(tx, programme_id)
        red = card.values(
            colours={"backgroundColor": "rgb(120, 0, 0)"}, images={"icon.png": card.png(29, 29)}
        )
        second = publish(tx, programme_id, values=red)
        assert (first.version, second.version) == (1, 2)
        assert second.files["icon.png"] == card.png(29, 29)
        assert second.layout.document["backgroundColor"] == "rgb(120, 0, 0)"
        assert designs.newest(tx, programme_id) == second
        assert designs.design(tx, first.id) == first


def test_publishing_the_same_again_makes_no_version(database: Database) -> None:
    with database.write() as tx:
        programme_id = a_programme(tx)
        first = publish(tx, programme_id)
        assert publish(tx, programme_id) == first


def test_a_half_folder_is_refused_with_every_fault_and_nothing_stored(
    database: Database, tmp_path: Path
) -> None:
    half = tmp_path / "half"
    shutil.copytree(TEMPLATE, half)
    for icon in half.glob("icon*.png"):
        icon.unlink()
    shutil.rmtree(half / "en.lproj")
    layout = half / "layout.toml"
    layout.write_text(
        layout.read_text("utf-8")
        .replace("rgb(30, 32, 44)", "синий")
        .replace('"{balance}"', '"{balanse}"')
        .replace('key = "tier"', 'key = "balance"'),
        "utf-8",
    )
    with database.write() as tx:
        programme_id = a_programme(tx)
        with pytest.raises(DesignRefused) as refused:
            publish(tx, programme_id, template=half)
        assert {finding.code for finding in refused.value.findings} >= {
            "icon-missing",
            "strings-missing",
            "colour-unreadable",
            "placeholder",
            "duplicate-key",
        }
        for said in ("en.lproj/pass.strings", "icon.png", "backgroundColor", "{balanse}"):
            assert said in refused.value.message
        assert tx.scalar(select(func.count()).select_from(design)) == 0
        assert tx.scalar(select(func.count()).select_from(design_file)) == 0
        with pytest.raises(NotFound):
            designs.newest(tx, programme_id)
        with pytest.raises(NotFound):
            designs.design(tx, DesignId(404))


def test_a_brand_cannot_bring_what_ios_refuses(database: Database) -> None:
    with database.write() as tx, pytest.raises(DesignRefused) as refused:
        publish(
            tx,
            a_programme(tx),
            values=card.values(organization_name="", colours={"labelColor": "white"}, time_zone="Moscow"),
        )
    assert "time-zone" in {finding.code for finding in refused.value.findings}


def test_a_brands_own_words_fill_the_template(database: Database) -> None:
    rules = LocalizedText("5 % с каждого чека", "5 % of every receipt")
    with database.write() as tx:
        programme_id = a_programme(tx)
        (owner,) = brands.brand_of_pass_type(tx, card.PASS_TYPE)
        values = designs.brand_values(owner, rules=rules, colours={"labelColor": "#ffffff"})
        layout = publish(tx, programme_id, values=values).layout
    assert layout.document["organizationName"] == "Берёзка"
    assert layout.document["teamIdentifier"] == card.TEAM
    assert layout.document["labelColor"] == "#ffffff"
    assert layout.time_zone == "Europe/Moscow"
    assert layout.texts["rules"] == rules
    assert layout.texts["logo_text"] == LocalizedText("Бонус", "Bonus")
    assert layout.texts["privacy_url"] == LocalizedText("https://example.com/ru", "https://example.com/en")


def test_a_published_version_can_still_be_warned_of(database: Database) -> None:
    with database.write() as tx:
        published = publish(
            tx, a_programme(tx), values=card.values(colours={"labelColor": "rgb(36, 26, 21)"})
        )
    assert [finding.code for finding in designs.warnings(published)] == ["low-contrast"]


def test_the_default_card_is_small_and_says_everything(database: Database, signer: Signer) -> None:
    with database.write() as tx:
        published = publish(tx, a_programme(tx))
    prepared = prepare(published, signer, web_service_url=card.SERVICE)
    content = card.content(messages=card.content().messages * 2)
    bundle = build(content, card.IDENTITY, prepared, signing_time=card.NOW)
    assert len(bundle) < 60 * 1024
    files = card.unpacked(bundle)
    document = json.loads(files["pass.json"])
    assert document["logoText"] == "Берёзка бонус"
    shown = {field["key"]: field["value"] for group in document["storeCard"].values() for field in group}
    assert shown == {
        "tier": "Золотой",
        "balance": 1250.5,
        "member_name": "Алёна Ж.",
        "latest_message": 'Кофе "за так" 50 %',
        "messages": shown["messages"],
        "rules": "5 % с каждого чека",
        "support": "Пишите нам",
        "privacy": "https://example.com/ru/p",
        "card_code": "K7Q2M9XA",
    }
    assert shown["messages"].count("21.11.2026") == 4
    english = files["en.lproj/pass.strings"].decode()
    assert '"Берёзка бонус" = "Berezka bonus";' in english
    assert '"https://example.com/ru/p" = "https://example.com/en/p";' in english


def test_the_press_loads_a_certificate_once_and_a_design_once(database: Database, credentials: Path) -> None:
    with database.write() as tx:
        published = publish(tx, a_programme(tx, f"file:{credentials}"))
    press = Press(card.SERVICE, clock=lambda: card.NOW)
    with database.read() as tx:
        once = press.prepared(tx, published.id)
        assert press.prepared(tx, published.id) is once
        assert press.signer(tx, card.PASS_TYPE) is once.signer
        with pytest.raises(NotFound):
            press.prepared(tx, DesignId(404))


def test_the_press_takes_up_a_renewed_certificate_and_keeps_one_that_works(
    database: Database, authority: Authority, tmp_path: Path
) -> None:
    def renew(**validity: Any) -> None:
        authority.pass_credentials(
            tmp_path,
            pass_type_identifier=card.PASS_TYPE,
            team_identifier=card.TEAM,
            organization="О",
            **validity,
        )

    renew(valid=timedelta(days=30))
    now = card.NOW
    press = Press(card.SERVICE, clock=lambda: now)
    with database.write() as tx:
        published = publish(tx, a_programme(tx, f"file:{tmp_path}"))
        first = press.prepared(tx, published.id)
        renew(valid=timedelta(days=300))
        assert press.prepared(tx, published.id) is first
        now += LOOK_AGAIN
        second = press.prepared(tx, published.id)
        assert isinstance(first.signer, Signer)
        assert isinstance(second.signer, Signer)
        assert second.signer.expires_at > first.signer.expires_at
        now += LOOK_AGAIN
        assert press.prepared(tx, published.id) is second
        (tmp_path / "key.pem").write_text("half a file")
        now += LOOK_AGAIN
        assert press.prepared(tx, published.id) is second


def test_the_press_says_what_is_wrong_with_a_certificate(database: Database, credentials: Path) -> None:
    with database.write() as tx:
        published = publish(tx, a_programme(tx, f"file:{credentials}"))
    late = Press(card.SERVICE, clock=lambda: card.NOW + timedelta(days=400))
    with database.read() as tx, pytest.raises(Misconfigured, match="expired"):
        late.prepared(tx, published.id)
