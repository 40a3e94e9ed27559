"""What a card says to its holder, in Russian and English. Pure.

iOS shows one changed text at a time, so whatever happens together is said together: a receipt that also
lifts the guest to a new tier is one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.numbers import format_decimal

from app.loyalty.stamps import StampCard
from app.passes.content import Language, LocalizedText

_POINTS: dict[Language, dict[str, str]] = {
    "ru": {"one": "балл", "few": "балла", "many": "баллов", "other": "балла"},
    "en": {"one": "point", "other": "points"},
}
_STAMPS: dict[Language, dict[str, str]] = {
    "ru": {"one": "штамп", "few": "штампа", "many": "штампов", "other": "штампа"},
    "en": {"one": "stamp", "other": "stamps"},
}
_LOCALES: dict[Language, Locale] = {"ru": Locale("ru"), "en": Locale("en", "US")}
_MINUS, _SEPARATOR = "\N{MINUS SIGN}", " · "


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What happened to a card in one transaction."""

    points: int = 0  # hundredths, signed
    balance: int = 0  # hundredths, afterwards
    stamps: int = 0  # signed
    card: StampCard | None = None  # of a stamp programme, afterwards
    reward: LocalizedText | None = None
    rewarded: bool = False  # the reward was handed over
    risen_to: LocalizedText | None = None  # the new tier, where it is a higher one
    welcome: bool = False
    refund: bool = False
    corrected: bool = False  # by hand, by somebody of the brand
    merged: bool = False  # the points and stamps are those of the guest's other card

    @property
    def adds_up(self) -> bool:
        """Whether it is what receipts bring, and nothing that has a name of its own."""
        named = self.rewarded or self.welcome or self.refund or self.corrected or self.merged
        return not named and self.points >= 0 and self.stamps >= 0


@lru_cache(maxsize=1024)
def message(news: News) -> LocalizedText | None:
    """The one line that tells it; None where there is nothing to tell."""
    ru, en = _said(news, "ru"), _said(news, "en")
    return LocalizedText(ru, en) if ru and en else None


@dataclass(frozen=True, slots=True)
class Told:
    """A line, and what is kept with it to tell it together with the next."""

    text: LocalizedText
    kept: Mapping[str, Any]


def told(news: News, earlier: Mapping[str, Any] | None) -> Told | None:
    """The line that tells it; where nobody has seen the ``earlier`` one yet, it tells both.

    Receipts add up; anything else is said first and the earlier line after it. None where there is nothing to
    tell.
    """
    alone = message(news)
    if alone is None:
        return None
    if earlier is None:
        return Told(alone, _kept(news, alone))
    if news.adds_up and earlier["adds_up"]:
        both = replace(
            news,
            points=news.points + earlier["points"],
            stamps=news.stamps + earlier["stamps"],
            risen_to=news.risen_to or (LocalizedText(**earlier["risen_to"]) if earlier["risen_to"] else None),
        )
        text = message(both)
        return Told(text, _kept(both, text)) if text else None
    return Told(joined(alone, line(earlier)), _kept(news, alone))


def joined(first: LocalizedText, second: LocalizedText) -> LocalizedText:
    """Both in one line."""
    return LocalizedText(f"{first.ru}{_SEPARATOR}{second.ru}", f"{first.en}{_SEPARATOR}{second.en}")


def kept_line(text: LocalizedText) -> Mapping[str, Any]:
    """What is kept of a line that adds up with nothing."""
    return {"adds_up": False, "line": text.to_json()}


def line(kept: Mapping[str, Any]) -> LocalizedText:
    """The line of which this was kept."""
    return LocalizedText(**kept["line"])


def _kept(news: News, line: LocalizedText) -> Mapping[str, Any]:
    return {
        "adds_up": news.adds_up,
        "points": news.points,
        "stamps": news.stamps,
        "risen_to": news.risen_to and news.risen_to.to_json(),
        "line": line.to_json(),
    }


@lru_cache(maxsize=4096)  # a till waits for it four times a receipt, and amounts come again
def number(points: int, language: Language) -> str:
    """``1234550`` hundredths as "12 345,5" or "12,345.5": as Wallet shows them (PKNumberStyleDecimal)."""
    return format_decimal(_decimal(points), format="#,##0.##", locale=_LOCALES[language])


def counted(count: int, language: Language) -> str:
    """A number of stamps with its noun: "1 штамп", "3 штампа", "5 stamps"."""
    return f"{count} {_STAMPS[language][_LOCALES[language].plural_form(count)]}"


def spelt_points(points: int, language: Language) -> str:
    """So many points (hundredths, not negative) with their noun: "1 балл", "5,5 балла", "12 points"."""
    return f"{number(points, language)} {_POINTS[language][_LOCALES[language].plural_form(_decimal(points))]}"


def _said(news: News, language: Language) -> str:
    parts: list[str] = []
    if news.welcome:
        parts.append("Добро пожаловать!" if language == "ru" else "Welcome!")
    if news.merged:
        parts.append("Ваши карты объединены" if language == "ru" else "Your cards are one now")
    if news.corrected:
        parts.append("Баланс исправлен" if language == "ru" else "Balance corrected")
    if news.refund and (news.points or news.stamps):
        parts.append("Возврат" if language == "ru" else "Refund")
    if news.points:
        parts.append(_signed_points(news.points, language))
        balance = number(news.balance, language)
        parts.append(f"баланс {balance}" if language == "ru" else f"balance {balance}")
    if news.card and news.reward:
        parts += _about_stamps(news, news.card, news.reward.in_language(language), language)
    if news.risen_to:
        tier = news.risen_to.in_language(language)
        parts.append(f"новый уровень: {tier}" if language == "ru" else f"new level: {tier}")
    return _SEPARATOR.join(parts).replace(f"!{_SEPARATOR}", "! ")


def _about_stamps(news: News, card: StampCard, reward: str, language: Language) -> list[str]:
    if news.rewarded:
        left = counted(card.stamps, language)
        return (
            [f"Ваша награда: {reward}", f"осталось {left}"]
            if language == "ru"
            else [f"Your reward: {reward}", f"{left} left"]
        )
    if not news.stamps:
        return []
    sign = "+" if news.stamps > 0 else _MINUS
    parts = [f"{sign}{counted(abs(news.stamps), language)}"]
    if card.rewards and news.stamps > 0:
        parts.append(f"вас ждёт награда: {reward}" if language == "ru" else f"your reward is ready: {reward}")
    else:
        missing = counted(card.missing, language)
        parts.append(f"до награды {missing}" if language == "ru" else f"{missing} to the reward")
    return parts


def _signed_points(points: int, language: Language) -> str:
    sign = "+" if points > 0 else _MINUS
    return f"{sign}{spelt_points(abs(points), language)}"


def _decimal(points: int) -> Decimal:
    """Visible decimals decide the plural (CLDR: 5 баллов, but 5,5 балла), so no zero stands at the end."""
    whole, part = divmod(points, 100)
    return Decimal(points).scaleb(-2).normalize() if part else Decimal(whole)
