"""``perkpass brand``: whose cards this installation issues."""

from __future__ import annotations

import click

from app.accounts import brands
from app.commands.answers import Record, json_option, show, show_list, warn
from app.commands.brand_google import google
from app.commands.shell import opened


@click.group()
def brand() -> None:
    """Brands: whose cards this installation issues."""


brand.add_command(google)


@brand.command()
@click.argument("slug")
@click.option("--name", required=True, help="as guests know it; the banner's title on the lock screen")
@click.option("--pass-type", required=True, help="pass type identifier, like pass.com.example.loyalty")
@click.option("--team", required=True, help="Apple's team identifier, ten characters")
@click.option("--credentials", required=True, help="where its certificate lies: file:…, env:… or stored:")
@click.option("--time-zone", required=True, help="IANA name, like Europe/Moscow")
@click.option("--currency", required=True, help="ISO 4217 code, like RUB")
@click.option("--language", default="ru", show_default=True, help="ru or en: for guests who speak neither")
@click.option("--programme-ru", required=True, help="what the card is called, in Russian")
@click.option("--programme-en", required=True, help="what the card is called, in English")
@click.option("--promise-ru", required=True, help="one sentence in Russian: what the guest gets")
@click.option("--promise-en", required=True, help="one sentence in English: what the guest gets")
@click.option("--privacy-url", default="", help="privacy policy, for both languages")
@click.option("--terms-url", default="", help="programme rules, for both languages")
@click.option("--support", default="", help="how guests reach you: phone or e-mail")
@click.option(
    "--asks-phone",
    type=click.Choice(brands.ASKS_PHONE),
    default="no",
    show_default=True,
    help="whether the install page asks for the guest's phone number",
)
@json_option
def create(
    slug: str,
    name: str,
    pass_type: str,
    team: str,
    credentials: str,
    time_zone: str,
    currency: str,
    language: str,
    programme_ru: str,
    programme_en: str,
    promise_ru: str,
    promise_en: str,
    privacy_url: str,
    terms_url: str,
    support: str,
    asks_phone: str,
    as_json: bool,
) -> None:
    """Add the brand SLUG."""
    shared = {"privacy_url": privacy_url, "terms_url": terms_url, "support": support}
    draft = brands.BrandDraft(
        slug=slug,
        name=name,
        texts={
            "ru": {"programme": programme_ru, "promise": promise_ru, **shared},
            "en": {"programme": programme_en, "promise": promise_en, **shared},
        },
        time_zone=time_zone,
        currency=currency,
        language=language,
        pass_type_identifier=pass_type,
        team_identifier=team,
        credentials=credentials,
        asks_phone=asks_phone,
    )
    with opened() as shell:
        with shell.database.write() as tx:
            made = brands.create_brand(tx, draft, now=shell.now, actor=shell.actor)
            warning = brands.shared_pass_type(tx, made)
        if warning:
            warn(warning)
        show(whole(made), as_json=as_json)


@brand.command("list")
@json_option
def list_brands(as_json: bool) -> None:
    """Every brand."""
    with opened() as shell, shell.database.read() as tx:
        found = brands.all_brands(tx)
    show_list(
        [
            {
                "slug": b.slug,
                "name": b.name,
                "pass_type_identifier": b.pass_type_identifier,
                "team_identifier": b.team_identifier,
                "time_zone": b.time_zone,
                "currency": b.currency,
                "credentials": b.credentials,
            }
            for b in found
        ],
        as_json=as_json,
        empty="There is no brand yet. Add one: perkpass brand create --help",
    )


@brand.command("show")
@click.argument("slug")
@json_option
def show_brand(slug: str, as_json: bool) -> None:
    """Everything about the brand SLUG."""
    with opened() as shell, shell.database.read() as tx:
        found = brands.brand_by_slug(tx, slug)
        warning = brands.shared_pass_type(tx, found)
    if warning:
        warn(warning)
    show(whole(found), as_json=as_json)


def whole(found: brands.Brand) -> Record:
    """Everything about a brand."""
    return {key: getattr(found, key) for key in brands.Brand.__dataclass_fields__}
