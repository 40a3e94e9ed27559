"""axe-core in a page: what it finds against WCAG and its own best practice."""

from __future__ import annotations

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page

_SCRIPT = AXE_FILE_PATH.read_text(encoding="utf-8")
_ASK = """async (rules) => {
  const told = await axe.run({
    resultTypes: ["violations"], preload: false, ...(rules.length ? {runOnly: rules} : {}),
  });
  return told.violations.flatMap((rule) => rule.nodes.map((node) => [
    `${rule.id} (${rule.help})`, `${node.html.slice(0, 160)} ${node.failureSummary}`,
  ]));
}"""
"""What passed is not told, and no style sheet is fetched once more: that takes longer than to look."""


def faults(page: Page, *only: str) -> list[str]:
    """What axe finds, a line each: by all its rules, or by ``only`` these rules or tags."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_SCRIPT)
    return [f"{rule}: {where}" for rule, where in page.evaluate(_ASK, list(only))]
