"""``/api/v1/funnel``: how far guests of the key's own venue came, for dashboards and managers' sheets."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from flask import Response, g, jsonify
from limits import RateLimitItem, RateLimitItemPerMinute
from pydantic import AfterValidator, BaseModel, ConfigDict

from app.accounts.keys import PointOfSaleKey
from app.errors import BadInput
from app.places import funnel, venues
from app.places.funnel import Entry, Flow, Funnel, Period, Step
from app.places.funnel_intervals import Share
from app.places.venues import Venue
from app.web.api_words import said
from app.web.rate_limits import RateLimits
from app.web.services import Services

PER_KEY: RateLimitItem = RateLimitItemPerMinute(30)
MOST_DAYS = 366
"""At once."""

_USUAL_DAYS = 30


def _spelt(day: date) -> date:
    """Nobody came before there were cards, and no calendar goes on for ever."""
    if not 2000 <= day.year <= 2999:
        raise ValueError("a day from 2000-01-01 to 2999-12-31")
    return day


_Day = Annotated[date, AfterValidator(_spelt)]


class FunnelQuery(BaseModel):
    """Which counts are wanted."""

    model_config = ConfigDict(strict=True, extra="forbid")

    by: Literal["venue", "link", "placement", "staff"] = said(
        "What visits are counted by", "По чему считаются визиты", default="placement"
    )
    first: _Day | None = said(
        f"First day, by the venue's calendar; with to. Left out: the last {_USUAL_DAYS} days",
        f"Первый день по календарю заведения, вместе с to. Не указан — последние {_USUAL_DAYS} дней",
        alias="from",
        default=None,
    )
    last: _Day | None = said(
        f"Last day, included; at most {MOST_DAYS} days in all",
        f"Последний день включительно; всего не больше {MOST_DAYS} дней",
        alias="to",
        default=None,
    )


class ShareOut(BaseModel):
    """A share and how sure it is."""

    value: float | None = said(
        "From 0 to 1; null where nobody could have done it", "От 0 до 1; null, если никто не мог"
    )
    low: float = said("Lower end of the 95 % interval (Wilson)", "Нижняя граница интервала 95 % (Уилсон)")
    high: float = said("Upper end of it", "Его верхняя граница")

    @classmethod
    def of(cls, share: Share) -> Self:
        """As places have it."""
        low, high = share.interval()
        return cls(value=share.value, low=low, high=high)


class SharesOut(BaseModel):
    """Step by step, and the whole way."""

    page: ShareOut = said("Of scans", "От сканирований")
    form: ShareOut = said("Of pages", "От показов страницы")
    code: ShareOut | None = said(
        "Of forms; null where no codes are asked for", "От анкет; null, если коды не спрашивают"
    )
    added: ShareOut = said(
        "Of numbers proved, or of forms where no codes are asked for",
        "От подтверждённых номеров, а где коды не спрашивают — от анкет",
    )
    receipt: ShareOut = said(
        "Of cards added, of visits at least a week old: as many days as asked, as late as they can be",
        "От добавленных карт; визиты не младше недели: столько же дней, самые поздние из возможных",
    )
    active: ShareOut = said(
        "Of first receipts, of visits at least 30 days old: as many days as asked, as late as they can be",
        "От первых чеков; визиты не младше 30 дней: столько же дней, самые поздние из возможных",
    )
    added_of_scans: ShareOut = said("The whole way", "Весь путь")


class CountsOut(BaseModel):
    """Visits that took each step."""

    scan: int = said("The code was scanned", "Код отсканирован")
    page: int = said("The page was seen", "Страница показана")
    in_app: int = said(
        "It was seen in an app's own browser, where no card can be added",
        "Показана во встроенном браузере, где карту не добавить",
    )
    form: int = said("The form was sent", "Анкета отправлена")
    code: int = said("The number was proved by a code", "Номер подтверждён кодом")
    added: int = said("The card was added to a phone", "Карта добавлена в телефон")
    receipt: int = said(
        "Its first receipt was rung up within 7 days of the scan",
        "Первый чек пробит в течение 7 дней после сканирования",
    )
    again: int = said(
        "Another receipt followed on another day, within 30 days of the scan",
        "В другой день пробит ещё один чек, в течение 30 дней после сканирования",
    )
    active: int = said(
        "The guest came again, and kept the card for these 30 days",
        "Гость пришёл снова и не удалил карту за эти 30 дней",
    )
    removed: int = said("The card was removed again", "Карта потом удалена")
    shares: SharesOut = said("Shares of the step before", "Доли от предыдущего шага")

    @classmethod
    def of(cls, flow: Flow, *, codes: bool, **more: Any) -> Self:
        """As places have it; ``codes``: numbers are proved on the way."""

        def told(step: Step) -> ShareOut:
            return ShareOut.of(flow.share(step, codes=codes))

        return cls(
            **{kind: getattr(flow.now, kind) for kind in funnel.COUNTED},
            shares=SharesOut(
                page=told("page"),
                form=told("form"),
                code=told("code") if codes else None,
                added=told("added"),
                receipt=told("receipt"),
                active=told("active"),
                added_of_scans=ShareOut.of(flow.installed),
            ),
            **more,
        )


class FunnelGroupOut(CountsOut):
    """One venue, link, placement or staff member."""

    name: str = said("Slug, code, placement or name", "Код, место или имя")
    verdict: Literal["alone", "too_few", "no_difference", "better", "worse"] = said(
        "Compared with all others together; better and worse only where it is no chance",
        "В сравнении со всеми остальными; better и worse — только если это не случайность",
    )
    loses_at: Step | None = said(
        "The step at which it surely loses most guests, compared with the others",
        "Шаг, на котором теряется больше всего гостей по сравнению с остальными, если это не случайность",
    )

    @classmethod
    def entry(cls, entry: Entry, *, codes: bool) -> Self:
        """As places have it."""
        return cls.of(
            entry.flow, codes=codes, name=entry.name, verdict=entry.verdict, loses_at=entry.loses_at
        )


class FunnelOut(BaseModel):
    """The funnel of one venue."""

    venue: str = said("The venue's slug", "Код заведения")
    time_zone: str = said("Days begin and end by its clock", "Дни считаются по её часам")
    by: Literal["venue", "link", "placement", "staff"] = said("As asked", "Как спрошено")
    first: date = said("First day", "Первый день", serialization_alias="from")
    last: date = said("Last day, included", "Последний день включительно", serialization_alias="to")
    groups: list[FunnelGroupOut] = said(
        "By name; who had no visit is left out", "По именам; без визитов не показываются"
    )
    total: CountsOut = said("All groups together", "Все группы вместе")

    @classmethod
    def of(cls, venue: Venue, by: Any, period: Period, found: Funnel) -> Self:
        """As places have it."""
        return cls(
            venue=venue.slug,
            time_zone=venue.time_zone,
            by=by,
            first=period.first,
            last=period.last,
            groups=[FunnelGroupOut.entry(entry, codes=found.codes) for entry in found.entries],
            total=CountsOut.of(found.total, codes=found.codes),
        )


class FunnelDesk:
    """Answers what a key asks about its own venue."""

    def __init__(self, services: Services, *, per_key: RateLimitItem = PER_KEY) -> None:
        """Each key may ask ``per_key`` times: comparing is dearer than any other call."""
        self._services, self._per_key = services, (per_key,)
        self._limits = RateLimits(services.rate_limit_storage)

    def answer(self, query: FunnelQuery) -> Response:
        """The venue's funnel; waits for no writer."""
        key: PointOfSaleKey = g.key
        sentence = "This key asks for the funnel too often: wait, then call again."
        self._limits.count(self._per_key, "api", "funnel", str(key.id), sentence=sentence)
        with self._services.database.read() as tx:
            venue = venues.venue(tx, key.venue_id)
            period = self._period(query, venue)
            found = funnel.funnel(
                tx,
                key.brand_id,
                by=funnel.BY[query.by],
                period=period,
                now=self._services.clock(),
                venue_id=venue.id,
            )
        return jsonify(FunnelOut.of(venue, query.by, period, found).model_dump(mode="json", by_alias=True))

    def _period(self, query: FunnelQuery, venue: Venue) -> Period:
        if query.first is None and query.last is None:
            return funnel.last_days(_USUAL_DAYS, time_zone=venue.time_zone, now=self._services.clock())
        if query.first is None or query.last is None:
            raise BadInput("bad-period", "Give from and to together", field="to" if query.first else "from")
        if (query.last - query.first).days >= MOST_DAYS:
            raise BadInput("bad-period", f"Ask for at most {MOST_DAYS} days at once", field="from")
        return funnel.period(query.first, query.last)
