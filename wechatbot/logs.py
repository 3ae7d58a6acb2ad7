"""What the console says of requests."""

from __future__ import annotations

import logging

SERVER_ERROR = 500


class WithoutRefusalTracebacks(logging.Filter):
    """A refused request (403, 404 …) is one line: where it was raised helps nobody. Errors keep their traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django.") and getattr(record, "status_code", SERVER_ERROR) < SERVER_ERROR:
            record.exc_info = None
        return True
