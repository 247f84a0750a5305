"""Structured logs: one line for each event, with the operation and resource that it concerns.

What is bound to the logging context (request, operation, subject) is on every line that is written meanwhile, whichever
room writes it. Lines of libraries come in the same form, from warnings up.
"""

from __future__ import annotations

import logging
import sys

import structlog

from fairlead.settings import LogSettings

__all__ = ["set_up_logging"]


def set_up_logging(settings: LogSettings) -> None:
    """Write logs to standard error as `settings` say."""
    level = logging.getLevelName(settings.level.upper())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: structlog.typing.Processor
    if settings.format == "json":
        last = structlog.processors.JSONRenderer()
    else:
        last = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        # An exception as plain text: the console's own way shows local variables, and with them secrets.
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            last,
        ],
    )
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(level, logging.WARNING))
