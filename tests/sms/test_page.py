"""``docs/sms.md`` says what the code does: its tables, its example, its ports."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.sms import logins, reasons_smpp, reasons_smsc, reasons_twilio
from app.sms.gateway import Price
from app.sms.meanings import AnswerMeaning, StateMeaning
from app.sms.wire import Patience

PAGE = Path(__file__).parents[2] / "docs" / "sms.md"


def _answer(code: int, meaning: AnswerMeaning) -> str:
    return f"| {code} | {meaning.verdict or 'doubt'} | {meaning.words} |"


def _state(state: int | str, meaning: StateMeaning) -> str:
    return f"| {state} | {meaning.state.replace('_', ' ')} | {meaning.words} |"


TABLES: dict[str, list[str]] = {
    "smsc-answers": [_answer(*each) for each in reasons_smsc.ANSWERS.items()],
    "smsc-states": [_state(*each) for each in reasons_smsc.STATES.items()],
    "smsc-causes": [f"| {code} | {words} |" for code, words in reasons_smsc.CAUSES.items()],
    "twilio-answers": [_answer(*each) for each in reasons_twilio.ANSWERS.items()],
    "twilio-states": [_state(*each) for each in reasons_twilio.STATES.items()],
    "twilio-causes": [f"| {code} | {words} |" for code, words in reasons_twilio.CAUSES.items()],
    "smpp-answers": [
        f"| 0x{status:02X} | `{name}` | {verdict} |"
        for status, (name, verdict) in reasons_smpp.SUBMITTING.items()
    ],
    "smpp-states": [f"| `{state}` | {means} |" for state, means in reasons_smpp.STATES.items()],
}


@pytest.mark.parametrize("name", TABLES)
def test_the_page_has_the_tables_of_the_code(name: str) -> None:
    assert "\n" + "\n".join(TABLES[name]) + "\n\n" in PAGE.read_text(encoding="utf-8")


def test_no_row_is_on_the_page_alone() -> None:
    rows = re.findall(
        r"^\| (?:-?\d+|0x[0-9A-F]+|`[A-Z]+`|[a-z_]+) \|.*$", PAGE.read_text(encoding="utf-8"), re.M
    )
    known = {row for table in TABLES.values() for row in table}
    assert {row for row in rows if row not in known} <= {
        "| code | verdict | the vendor's sense |",
        "| state | means | the vendor's sense |",
        "| state | means |",
        "| cause | the vendor's sense |",
        "| command_status | name | verdict |",
    } | {row for row in rows if row.startswith(("| receipts |", "| price |", "| balance |"))}


def test_the_example_is_a_file_of_logins(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    path = tmp_path / "sms.toml"
    path.write_text(example, encoding="utf-8")
    path.chmod(0o640)
    book = logins.read(path)
    assert set(book.logins) == {"main", "abroad", "centre"}
    assert book.brands["kofe"].countries == ("RU", "KZ")
    assert logins.price_of(book.logins["main"], "+77001234567", 1) == Price(amount=1900, currency="RUB")


def test_the_page_s_seconds_are_the_wire_s() -> None:
    page, patience = PAGE.read_text(encoding="utf-8"), Patience()
    assert f"silence for {patience.exchange:g} seconds" in page
    assert f"no turn within {patience.turn:g} seconds" in page
