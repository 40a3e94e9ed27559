"""The training sheet: one page for the people at the till, in Russian or English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.posters.drawing import pages_given
from app.posters.poster import Language, Poster
from app.posters.press import Press, here

Earns = Literal["points", "stamps"]
"""What a receipt brings; tiers are points that grow."""


@dataclass(frozen=True, slots=True)
class TrainingSheet:
    """What the sheet shows: a print of the venue's own link, and how its cards live."""

    poster: Poster  # in one language
    earns: Earns
    numbers_are_proved: bool  # a guest who proves the number again gets the same card
    support: str  # how one reaches whoever helps; empty where the brand names nobody


@dataclass(frozen=True, slots=True)
class _Words:
    """One language's; ``trouble`` are pairs of what is wrong and what to do."""

    ask_heading: str
    ask: str
    join_heading: str
    join: tuple[str, ...]
    pay_heading: str
    find: str
    type_it: str
    earns: Mapping[Earns, tuple[str, str]]
    code_below: str
    trouble_heading: str
    trouble: tuple[tuple[str, str], ...]
    lost: tuple[str, str, str]  # the question; numbers proved; numbers not proved
    support: tuple[str, str]


_WORDS: Mapping[Language, _Words] = {
    "ru": _Words(
        ask_heading="Спросите каждого гостя, прежде чем пробить чек:",
        ask="«У вас есть наша карта?»",
        join_heading="Карты ещё нет",
        join=(
            "Гость наводит камеру телефона на код и открывает ссылку.",
            "Заполняет форму: это меньше минуты, приложение не нужно.",
            "Нажимает кнопку под картой, затем «Добавить». Карта в телефоне.",
        ),
        pay_heading="Карта есть: чек",
        find="Гость показывает карту: в Wallet или на странице карты.",
        type_it="Отсканируйте код на карте. Не сканируется: наберите 12 знаков под кодом.",
        earns={
            "points": (
                "Баллы за чек начислятся сами. Спросите: «Накопить или списать?»",
                "Списание выбирают до оплаты; остаток на карте обновится сам.",
            ),
            "stamps": (
                "Штамп за чек появится сам, гость увидит его на карте.",
                "Штампы собраны: выберите в кассе «награда» до оплаты.",
            ),
        },
        code_below="Этот код можно показать гостю прямо с листа.",
        trouble_heading="Если что-то не так",
        trouble=(
            (
                "Код со стола не открывается",
                "Наберите в браузере телефона адрес, который напечатан под кодом.",
            ),
            (
                "Телефон не iPhone",
                "Тот же код. Есть кнопка Google Кошелька — нажать её; нет — карта откроется страницей.",
            ),
            (
                "Карта показывает старый остаток",
                "Верно то, что говорит касса. Карта догонит, как только телефон выйдет в сеть.",
            ),
            (
                "Чек пробит по ошибке",
                "Верните его в кассе: начисленное по нему уйдёт с карты само.",
            ),
        ),
        lost=(
            "Гость удалил карту или сменил телефон",
            "Пусть снова откроет ссылку по коду и подтвердит номер: вернётся та же карта.",
            "Не заводите вторую: позовите управляющего, он найдёт гостя и выдаст карту заново.",
        ),
        support=("Не помогло", "Звоните или пишите: {support}"),
    ),
    "en": _Words(
        ask_heading="Ask every guest before you ring up the bill:",
        ask="“Do you have our card?”",
        join_heading="No card yet",
        join=(
            "The guest points the phone’s camera at the code and opens the link.",
            "Fills in the form: less than a minute, and no app is needed.",
            "Taps the button below the card, then “Add”. The card is in the phone.",
        ),
        pay_heading="There is a card: the bill",
        find="The guest shows the card: in Wallet, or on the card’s page.",
        type_it="Scan the code on the card. It does not scan: type the 12 characters below it.",
        earns={
            "points": (
                "Points for the bill come by themselves. Ask: “Collect or spend?”",
                "Choose to spend before payment; the card shows the new balance by itself.",
            ),
            "stamps": (
                "The stamp for the bill comes by itself; the guest sees it on the card.",
                "All stamps collected: choose “reward” on the till before payment.",
            ),
        },
        code_below="You can show the guest this code right here.",
        trouble_heading="When something is not right",
        trouble=(
            (
                "The code on the table does not open",
                "Type the address printed below the code into the phone’s browser.",
            ),
            (
                "The phone is no iPhone",
                "The same code. Tap the Google Wallet button where there is one; else the card is a page.",
            ),
            (
                "The card shows an old balance",
                "What the till says is right. The card follows once the phone is online.",
            ),
            (
                "A bill was rung up by mistake",
                "Refund it on the till: what it earned leaves the card by itself.",
            ),
        ),
        lost=(
            "The guest deleted the card or has a new phone",
            "Let them open the link again and prove their number: the same card comes back.",
            "Do not make a second one: ask the manager, who finds the guest and issues the card anew.",
        ),
        support=("It did not help", "Call or write: {support}"),
    ),
}


def draw(sheet: TrainingSheet, *, press: Press = here) -> bytes:
    """The page as a PDF: vectors, fonts embedded; equal sheets give equal bytes."""
    return press(
        pages_given([sheet.poster], "a4", layout="training", more={"training": words(sheet)}),
        "pdf",
        sheet.poster.printed_on,
    )


def words(sheet: TrainingSheet) -> dict[str, Any]:
    """Every sentence that the sheet says, in the poster's first language."""
    language = sheet.poster.words[0].language
    said = _WORDS[language]
    question, proved, not_proved = said.lost
    trouble = [*said.trouble, (question, proved if sheet.numbers_are_proved else not_proved)]
    if sheet.support:
        trouble.append((said.support[0], said.support[1].format(support=sheet.support)))
    return {
        "language": language,
        "ask_heading": said.ask_heading,
        "ask": said.ask,
        "join_heading": said.join_heading,
        "join": said.join,
        "pay_heading": said.pay_heading,
        "pay": (said.find, said.type_it, *said.earns[sheet.earns]),
        "code_below": said.code_below,
        "trouble_heading": said.trouble_heading,
        "trouble": trouble,
    }
