"""Brands: what is refused, what may change, and who shares a pass type identifier."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.accounts import audit, brands
from app.db import Database
from app.errors import BadInput, Conflict, NotFound
from tests.accounts.world import NOW, a_brand_draft


def test_a_brand_is_kept_with_every_text_and_audited(database: Database) -> None:
    with database.write() as tx:
        made = brands.create_brand(tx, a_brand_draft(), now=NOW, actor="cli:anna")
    with database.read() as tx:
        found = brands.brand_by_slug(tx, "kasha")
        assert found == made == brands.brand(tx, made.id)
        assert found.text("programme", "ru") == "Клуб «Каша»"
        assert found.text("terms_url", "en") == ""
        assert found.text("promise", "fr") == found.text("promise", "ru")
        entry = audit.entries(tx, brand_id=made.id)[0]
    assert (entry.actor, entry.action, entry.subject, entry.at) == (
        "cli:anna", "brand.created", "kasha", NOW,
    )  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "Kasha!"),
        ("slug", "-kasha"),
        ("slug", "a" * 64),
        ("name", "   "),
        ("name", "two\nlines"),
        ("time_zone", "Moscow"),
        ("time_zone", "europe/moscow"),
        ("time_zone", "../../etc/passwd"),
        ("currency", "rub"),
        ("currency", "XXY"),
        ("currency", "DEM"),
        ("language", "de"),
        ("pass_type_identifier", "com.example.kasha"),
        ("pass_type_identifier", "pass."),
        ("pass_type_identifier", "pass.with space"),
        ("team_identifier", "abcde12345"),
        ("team_identifier", "ABCDE1234"),
        ("credentials", "/etc/keys"),
        ("credentials", "file:"),
        ("credentials", "env:lower case"),
        ("credentials", "file:-----BEGIN PRIVATE KEY-----"),
    ],
)
def test_wrong_words_are_refused_and_the_field_is_named(database: Database, field: str, value: str) -> None:
    wrong = replace(a_brand_draft(), **{field: value})  # type: ignore[arg-type]
    with database.write() as tx, pytest.raises(BadInput) as refused:
        brands.create_brand(tx, wrong, now=NOW, actor="t")
    assert refused.value.field == field
    assert len(refused.value.message) > 20


@pytest.mark.once
def test_key_material_is_never_repeated_in_the_refusal(database: Database) -> None:
    draft = replace(a_brand_draft(), credentials="-----BEGIN PRIVATE KEY-----\nMIIEvQ")
    with database.write() as tx, pytest.raises(BadInput) as refused:
        brands.create_brand(tx, draft, now=NOW, actor="t")
    assert "MIIEvQ" not in refused.value.message


@pytest.mark.once
@pytest.mark.parametrize(
    ("texts", "field"),
    [
        ({"ru": {"programme": "К", "promise": "О"}}, "texts.en.programme"),
        ({"ru": {"programme": "К"}, "en": {"programme": "C", "promise": "P"}}, "texts.ru.promise"),
        (
            {"ru": {"programme": "К", "promise": "О", "slogan": "!"}, "en": {}},
            "texts.ru.slogan",
        ),
        ({"de": {}}, "texts.de"),
        (
            {
                "ru": {"programme": "К", "promise": "О", "privacy_url": "javascript:alert(1)"},
                "en": {"programme": "C", "promise": "P"},
            },
            "texts.ru.privacy_url",
        ),
    ],
)
def test_texts_are_whole_in_both_languages(
    database: Database, texts: dict[str, dict[str, str]], field: str
) -> None:
    with database.write() as tx, pytest.raises(BadInput) as refused:
        brands.create_brand(tx, replace(a_brand_draft(), texts=texts), now=NOW, actor="t")
    assert refused.value.field == field


def test_a_taken_slug_is_a_conflict_and_the_transaction_lives_on(database: Database) -> None:
    with database.write() as tx:
        brands.create_brand(tx, a_brand_draft(), now=NOW, actor="t")
        with pytest.raises(Conflict):
            brands.create_brand(tx, a_brand_draft(), now=NOW, actor="t")
        brands.create_brand(tx, a_brand_draft("second"), now=NOW, actor="t")
    with database.read() as tx:
        assert [brand.slug for brand in brands.all_brands(tx)] == ["kasha", "second"]


def test_a_shared_pass_type_is_warned_about_and_has_one_team(database: Database) -> None:
    with database.write() as tx:
        first = brands.create_brand(tx, a_brand_draft(), now=NOW, actor="t")
        assert brands.shared_pass_type(tx, first) is None
        sharing = replace(a_brand_draft("second"), pass_type_identifier=first.pass_type_identifier)
        second = brands.create_brand(tx, sharing, now=NOW, actor="t")
        assert "kasha" in str(brands.shared_pass_type(tx, second))
        assert [b.slug for b in brands.brand_of_pass_type(tx, first.pass_type_identifier)] == [
            "kasha",
            "second",
        ]
        with pytest.raises(BadInput) as refused:
            brands.create_brand(
                tx, replace(sharing, slug="third", team_identifier="ZZZZZ99999"), now=NOW, actor="t"
            )
    assert refused.value.field == "team_identifier"


def test_equal_words_change_and_audit_nothing(database: Database) -> None:
    with database.write() as tx:
        made = brands.create_brand(tx, a_brand_draft(), now=NOW, actor="t")
        assert brands.update_brand(tx, made.id, made.draft(), now=NOW, actor="t") == made
        assert len(audit.entries(tx)) == 1
        later = brands.update_brand(tx, made.id, replace(made.draft(), name="Новое"), now=NOW, actor="t")
        assert later.name == "Новое"
        assert audit.entries(tx)[0].detail == {"changed": ["name"]}
        with pytest.raises(Conflict):
            brands.update_brand(tx, made.id, replace(made.draft(), slug="other"), now=NOW, actor="t")


def test_an_unknown_brand_is_not_found(database: Database) -> None:
    with database.read() as tx, pytest.raises(NotFound, match="perkpass brand list"):
        brands.brand_by_slug(tx, "nobody")


def test_the_audit_log_pages_from_newest_to_oldest(database: Database) -> None:
    with database.write() as tx:
        for number in range(5):
            audit.record(
                tx,
                at=datetime(2026, 1, number + 1, tzinfo=UTC),
                actor="t",
                brand_id=None,
                action="a.b",
                subject=str(number),
                detail={},
            )
        newest = audit.entries(tx, limit=2)
        rest = audit.entries(tx, before=newest[-1].id)
    assert [e.subject for e in newest + rest] == ["4", "3", "2", "1", "0"]
