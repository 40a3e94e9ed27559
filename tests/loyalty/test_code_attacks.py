"""Attacks on codes: guessing, pumping, trying at once, replaying. Each ends at a stated bound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select

from app.db import Database, Tx
from app.delivery import texts
from app.delivery.text_promises import TextDraft
from app.errors import BadInput, NotFound, TooMany
from app.loyalty import codes
from app.loyalty.codes import CodeAsked, CodeLimits
from app.loyalty.tables import phone_code
from app.places import links
from tests.loyalty import town as towns
from tests.loyalty.test_codes import LIMITS, NUMBER, SECOND, ask, asked, check, opened, wrong
from tests.loyalty.town import BONUS, NOW


def _at_once(acts: list[Callable[[], None]]) -> None:
    """Everybody starts at the same moment, each in a thread with its own transaction."""
    start = Barrier(len(acts))

    def run(act: Callable[[], None]) -> None:
        start.wait()
        act()

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def _sent(database: Database) -> int:
    with database.read() as tx:
        return tx.scalar(select(func.count()).select_from(phone_code)) or 0


def _pump(tx: Tx, wanted: list[CodeAsked], limits: CodeLimits) -> Counter[str]:
    """Ask for all of it, one second after another; how often was sent, and why not."""
    told: Counter[str] = Counter()
    for number, one in enumerate(wanted):
        try:
            ask(tx, one, now=NOW + number * SECOND, limits=limits)
        except TooMany as refused:
            told[refused.code] += 1
        else:
            told["sent"] += 1
    return told


def _numbers(count: int) -> list[str]:
    return [f"+7912{number:07}" for number in range(count)]


def _addresses(count: int) -> list[str]:
    return [f"10.{number // 250}.{number % 250}.1" for number in range(count)]


def test_a_code_can_be_guessed_at_five_times_however_many_try_at_once(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        wanted = asked(town, opened(tx, town))
        code = ask(tx, wanted)
    answers: list[str] = []

    def guess(step: int) -> None:
        with database.write() as tx:
            answers.append(check(tx, wanted, wrong(code, step)))

    _at_once([lambda step=step: guess(step) for step in range(1, 13)])  # type: ignore[misc]
    assert Counter(answers) == {"wrong": 4, "over": 8}  # the fifth is told that it was the last
    with database.write() as tx:
        [seen] = codes.codes_of_number(tx, town.brand.id, NUMBER)
        assert (seen.tries, seen.ended_at) == (codes.TRIES, NOW)
        assert check(tx, wanted, code.digits) == "over"


def test_the_right_code_sent_by_many_at_once_is_right_once(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        wanted = asked(town, opened(tx, town))
        code = ask(tx, wanted)
    answers: list[str] = []

    def replay() -> None:
        with database.write() as tx:
            answers.append(check(tx, wanted, code.digits))

    _at_once([replay] * 8)
    assert Counter(answers) == {"right": 1, "over": 7}


def test_a_code_is_worth_nothing_to_another_visit_and_loses_no_try_to_it(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        wanted = asked(town, opened(tx, town))
        code = ask(tx, wanted)
        thief = replace(wanted, visit_id=opened(tx, town))
        assert {check(tx, thief, code.digits) for _ in range(20)} == {"over"}
        assert check(tx, replace(wanted, number="+79120000000"), code.digits) == "over"
        assert check(tx, wanted, code.digits) == "right"


def test_whoever_guesses_at_one_number_gets_thirty_guesses_a_day(database: Database) -> None:
    """Six codes of five tries, whichever links, visits and addresses they come from: 30 in a million."""
    guesses, refusals = 0, set()
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        addresses = _addresses(48)
        for half_hour in range(48):
            now = NOW + half_hour * timedelta(minutes=30) - SECOND
            wanted = asked(town, opened(tx, town), address=addresses[half_hour])
            try:
                code = ask(tx, wanted, now=now)
            except TooMany as refused:
                refusals.add(refused.code)
                continue
            while (answer := check(tx, wanted, wrong(code), now=now)) == "wrong":
                guesses += 1
            assert answer == "over"
            guesses += 1
    assert guesses == LIMITS.number_a_day * codes.TRIES == 30
    assert refusals == {"codes-of-number"}


def test_pumping_ends_at_every_bound(database: Database) -> None:
    roomy = replace(LIMITS, visit_a_day=10_000, venue_a_day=10_000)
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        one_visit = opened(tx, town)
    cases: list[tuple[str, list[CodeAsked], CodeLimits, int]] = [
        (
            "codes-of-number",
            [asked(town, one_visit, address=address) for address in _addresses(20)],
            roomy,
            LIMITS.number_an_hour,
        ),
        (
            "codes-of-visit",
            [
                asked(town, one_visit, number, address)
                for number, address in zip(_numbers(20), _addresses(20), strict=True)
            ],
            LIMITS,
            LIMITS.visit_a_day,
        ),
        (
            "codes-of-address",
            [asked(town, one_visit, number, f"203.0.113.{host}") for host, number in enumerate(_numbers(99))],
            roomy,
            LIMITS.address_range_an_hour,
        ),
        (
            "codes-of-venue",
            [
                asked(town, one_visit, number, address)
                for number, address in zip(_numbers(40), _addresses(40), strict=True)
            ],
            replace(roomy, venue_a_day=25),
            25,
        ),
        (
            "codes-of-brand",
            [
                asked(town, one_visit, number, address)
                for number, address in zip(_numbers(40), _addresses(40), strict=True)
            ],
            replace(roomy, brand_a_day=30),
            30,
        ),
        ("codes-of-brand", [asked(town, one_visit)], replace(roomy, brand_a_day=0), 0),
    ]
    for bound, wanted, limits, most in cases:
        with database.engine.connect() as tx:  # each case is forgotten at its end
            told = _pump(tx, wanted, limits)
            assert told == Counter({"sent": most, bound: len(wanted) - most}), bound
            tx.rollback()


def test_nobody_shuts_a_number_or_a_network_out_of_another_brand(database: Database) -> None:
    with database.write() as tx:
        cup, tea = towns.build(tx, BONUS), towns.build(tx, BONUS, slug="tea")
        ours, theirs = opened(tx, cup), opened(tx, tea)
        limits = replace(LIMITS, address_range_an_hour=3)
        assert _pump(tx, [asked(cup, ours)] * 5, limits) == Counter({"sent": 3, "codes-of-number": 2})
        assert _pump(tx, [asked(tea, theirs)] * 5, limits) == Counter({"sent": 3, "codes-of-number": 2})
        anywhere = replace(LIMITS, number_anywhere_an_hour=6)
        fresh = towns.build(tx, BONUS, slug="pie")
        assert _pump(tx, [asked(fresh, opened(tx, fresh))], anywhere) == Counter({"codes-of-number": 1})


def test_a_code_that_was_replaced_is_not_paid_for(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        wanted = asked(town, opened(tx, town))
        promised = []
        for second in range(3):
            code = ask(tx, wanted, now=NOW + second * SECOND)
            draft = TextDraft(
                brand_id=town.brand.id,
                member_id=None,
                login="main",
                kind="code",
                number=NUMBER,
                text=f"Код {code.digits}",
                sender=None,
                encoding="ucs2",
                parts=1,
                price=300,
                currency="RUB",
                due_at=NOW,
                not_after=code.expires_at,
            )
            promised.append(texts.enqueue_text(tx, draft, now=NOW))
            codes.sent_as(tx, code.id, promised[-1])
        seen = [texts.text(tx, one) for one in promised]
        assert [(row.state, row.reason, row.text is None) for row in seen if row] == [
            ("superseded", "Replaced", True),
            ("superseded", "Replaced", True),
            ("pending", None, False),
        ]
        assert [each.texts for each in texts.spent_on_codes(tx, town.brand.id, since=NOW)] == [1]


@pytest.mark.parametrize("number", ["+74951234567", "+76001234567", "+70001234567", "+79401234567"])
def test_codes_go_to_mobile_phones_alone_and_where_the_brand_lets_them(
    database: Database, number: str
) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        wanted = asked(town, opened(tx, town), number)
        with pytest.raises(BadInput):
            ask(tx, wanted, limits=replace(LIMITS, refused=("+7940",)))


def test_many_links_do_not_widen_a_brands_day(database: Database) -> None:
    """Every code from a link, a visit, a number and an address of its own."""
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        wanted = []
        for number, address in zip(_numbers(40), _addresses(40), strict=True):
            link = links.create_link(
                tx, programme_id=town.programme.id, venue_id=town.venue.id, now=NOW, actor="test"
            )
            fresh = replace(town, link=link)
            wanted.append(asked(fresh, opened(tx, fresh), number, address))
        told = _pump(tx, wanted, replace(LIMITS, brand_a_day=12))
    assert told == Counter({"sent": 12, "codes-of-brand": 28})


@pytest.mark.parametrize("bound", ["number", "address", "venue", "brand", "visit"])
def test_askers_at_once_stay_within_the_bounds(database: Database, bound: str) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        visit_ids = [opened(tx, town) for _ in range(10)]
    wide = CodeLimits(countries=("RU",), brand_a_day=99, number_an_hour=99, number_a_day=99, visit_a_day=99)
    limits = replace(
        wide,
        number_an_hour=3 if bound == "number" else 99,
        visit_a_day=3 if bound == "visit" else 99,
        address_range_an_hour=3 if bound == "address" else 99,
        venue_a_day=3 if bound == "venue" else 99,
        brand_a_day=3 if bound == "brand" else 99,
    )
    told: list[str] = []

    def pump(asker: int) -> None:
        wanted = asked(
            town,
            visit_ids[0 if bound == "visit" else asker],
            NUMBER if bound == "number" else _numbers(10)[asker],
            "203.0.113.9" if bound == "address" else _addresses(10)[asker],
        )
        try:
            with database.write() as tx:
                ask(tx, wanted, limits=limits)
        except TooMany as refused:
            told.append(refused.code)

    _at_once([lambda asker=asker: pump(asker) for asker in range(10)])  # type: ignore[misc]
    assert told == [f"codes-of-{bound}"] * 7
    assert _sent(database) == 3


def test_one_number_has_one_active_code_however_many_ask_at_once(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        wanted = [asked(town, opened(tx, town), address=address) for address in _addresses(8)]
    limits = replace(LIMITS, number_an_hour=99, number_a_day=99)

    def pump(one: CodeAsked) -> None:
        with database.write() as tx:
            ask(tx, one, limits=limits)

    _at_once([lambda one=one: pump(one) for one in wanted])  # type: ignore[misc]
    with database.read() as tx:
        seen = codes.codes_of_number(tx, town.brand.id, NUMBER)
    assert len(seen) == 8
    assert sum(one.ended_at is None for one in seen) == 1


def test_asking_and_trying_at_once_neither_wait_for_ever_nor_answer_twice(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        wanted = asked(town, opened(tx, town))
        code = ask(tx, wanted)
    answers: list[str] = []

    def replace_it() -> None:
        with database.write() as tx:
            ask(tx, wanted, now=NOW + SECOND)

    def try_it() -> None:
        with database.write() as tx:
            answers.append(check(tx, wanted, code.digits, now=NOW + SECOND))

    _at_once([try_it, replace_it, try_it, replace_it, try_it])
    assert answers.count("right") <= 1
    with database.read() as tx:
        assert sum(one.ended_at is None for one in codes.codes_of_number(tx, town.brand.id, NUMBER)) == 1


def test_a_visit_that_was_made_up_sends_nothing(database: Database) -> None:
    with database.write() as tx:
        town = towns.build(tx, BONUS)
        scanned = towns.visit(tx, town.link.id)
    for visit_id in (scanned, type(scanned)("f" * 32), type(scanned)("")):
        with pytest.raises(NotFound), database.write() as tx:
            ask(tx, asked(town, visit_id))
    assert _sent(database) == 0
