"""Logs of a test process: as structlog writes them by itself, but with plain traces."""

from __future__ import annotations

import structlog


def configure() -> None:
    """Set the logs of this process, also after a service that ran in it had set its own.

    With every value of every frame, as structlog draws it where rich is installed, a trace takes seconds.
    """
    structlog.reset_defaults()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ]
    )
