"""The whole web, opened once for all who throw bad input at it: each of them leaves it as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import empty_database
from tests.web.edges import Edges, receipt
from tests.web.whole_web import WholeWeb, open_whole_web


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One test process opens it."""
    for item in items:
        if "edges" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("whole_web"))
            item.add_marker(pytest.mark.timeout(240))


@pytest.fixture(scope="session")
def edges(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    _template: str,
    servers_of_this_run: str,
) -> Iterator[Edges]:
    directory = tmp_path_factory.mktemp("whole_web")
    redis_url = "" if servers_of_this_run == "sqlite" else str(request.getfixturevalue("redis_server"))
    with empty_database(request, directory, _template) as url:
        yield from _open(open_whole_web(directory, url, redis_url))


def _open(web: WholeWeb) -> Iterator[Edges]:
    card, neighbour, stranger = web.card("pechka"), web.card("pechka"), web.card("zerno")
    registered = web.ask("POST", card.registration("d0"), b'{"pushToken": "70ce"}', card.bearer)
    assert registered.status == 201, registered.text
    rung = web.ask("POST", "/api/v1/receipts", receipt(card, number="R-1"), web.till("pechka"))
    assert rung.status == 201, rung.text
    yield Edges(web, card, neighbour, stranger, "R-1")
    web.database.close()
