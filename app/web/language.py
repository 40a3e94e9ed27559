"""Which of our two languages a page speaks, and how it spells a moment in it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Literal, cast

from babel.dates import format_datetime, get_timezone
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, refresh
from werkzeug.exceptions import RequestEntityTooLarge

Language = Literal["ru", "en"]
LANGUAGES: tuple[Language, ...] = ("ru", "en")
NAMES: dict[Language, str] = {"ru": "Русский", "en": "English"}
TRANSLATIONS = Path(__file__).parent / "translations"


def init_languages(app: Flask) -> None:
    """Give ``app`` translations and the choice among them."""
    domains = sorted(path.stem for path in TRANSLATIONS.glob("ru/LC_MESSAGES/*.mo"))
    Babel(app, default_locale="en", default_domain=";".join(domains),
          default_translation_directories=";".join([str(TRANSLATIONS)] * len(domains)),
          locale_selector=current_language)  # fmt: skip


def asked_language() -> Language | None:
    """What the guest chose on the page: ``lang`` in the address or the form; None where neither says."""
    asked = request.args.get("lang")
    if asked is None and request.method == "POST":
        with suppress(RequestEntityTooLarge):  # the view will say so, in some language
            asked = request.form.get("lang")
    return asked if asked in LANGUAGES else None


def choose_language(default: str) -> Language:
    """Settle what this request is answered in: asked for, else the browser's own, else ``default``."""
    accepted = request.accept_languages.best_match(LANGUAGES)
    g.language = asked_language() or accepted or (default if default in LANGUAGES else "en")
    refresh()
    return cast("Language", g.language)


def current_language() -> Language:
    """What was settled, or what the request by itself asks for; English outside of a request."""
    if not has_request_context():
        return "en"
    if "language" in g:
        return cast("Language", g.language)
    accepted = request.accept_languages.best_match(LANGUAGES)
    return asked_language() or cast("Language | None", accepted) or "en"


def spell_moment(moment: datetime, language: Language, time_zone: str) -> str:
    """A date and time in the brand's own time zone."""
    return format_datetime(moment, "d MMMM, HH:mm", tzinfo=get_timezone(time_zone), locale=language)
