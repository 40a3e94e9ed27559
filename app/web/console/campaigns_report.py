"""What a campaign did: its report as a page, and its guests as files."""

from __future__ import annotations

import tempfile
from pathlib import Path

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.campaigns import lifecycle
from app.campaigns.store_campaigns import Campaign
from app.db.identifiers import CampaignId
from app.reports import campaign_export, sheets
from app.reports.campaign_report import campaign_report
from app.web.console import campaigns_report_words as words
from app.web.console.campaigns_report_chart import charts
from app.web.console.files import sent
from app.web.console.forms import render, see
from app.web.console.registry import Console, page
from app.web.console.visit import Visit
from app.web.services import Services

_ONE = "/<brand>/campaigns/<int:campaign_id>/report"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def register(console: Console, services: Services) -> None:
    """``/console/<brand>/campaigns/<id>/report`` and its files."""

    @page(console, _ONE, needs="campaign.read")
    def report(visit: Visit, campaign_id: int) -> ResponseReturnValue:
        with services.database.read() as tx:
            campaign = lifecycle.show(tx, visit.brand.id, CampaignId(campaign_id))
            if campaign.frozen is None:
                return _not_begun(campaign)
            found = campaign_report(tx, campaign)
        return render(
            visit,
            "campaigns_report.html",
            campaign=campaign,
            found=found,
            told=words.Told(campaign, found, visit.brand),
            charts=charts(found),
        )

    @page(console, f"{_ONE}.csv", needs="campaign.write")
    def csv(visit: Visit, campaign_id: int) -> ResponseReturnValue:
        with services.database.read() as tx:
            campaign = lifecycle.show(tx, visit.brand.id, CampaignId(campaign_id))
            if campaign.frozen is None:
                return _not_begun(campaign)
            target = tempfile.TemporaryFile()  # noqa: SIM115  # closed when it was sent
            sheets.write_csv(target, campaign_export.COLUMNS, campaign_export.rows(tx, campaign))
        return sent(target, name=_name(visit, campaign, "csv"), kind="text/csv; charset=utf-8")

    @page(console, f"{_ONE}.xlsx", needs="campaign.write")
    def xlsx(visit: Visit, campaign_id: int) -> ResponseReturnValue:
        with tempfile.TemporaryDirectory() as name, services.database.read() as tx:
            path = Path(name) / "guests.xlsx"
            campaign = lifecycle.show(tx, visit.brand.id, CampaignId(campaign_id))
            if campaign.frozen is None:
                return _not_begun(campaign)
            campaign_export.fits_a_sheet(tx, campaign)
            rows = campaign_export.rows(tx, campaign)
            sheets.write_xlsx(path, _("Guests"), words.headings(), rows)
            target = path.open("rb")  # outlives its name
        return sent(target, name=_name(visit, campaign, "xlsx"), kind=_SHEET)


def _not_begun(campaign: Campaign) -> ResponseReturnValue:
    """There is nothing to report yet, but something to review."""
    return see(url_for("console.campaigns_review_review", campaign_id=campaign.id))


def _name(visit: Visit, campaign: Campaign, ending: str) -> str:
    return f"{visit.brand.slug}-campaign-{campaign.id}.{ending}"
