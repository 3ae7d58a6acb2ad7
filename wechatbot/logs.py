"""What the console says, and what it never says."""

from __future__ import annotations

import logging
import re

# In an address or in the JSON of an answer.
_SECRETS = re.compile(r"""((?:access_token|secret)["']?[=:] ?["']?)[^&\s"']+""")
SERVER_ERROR = 500


class WithoutRefusalTracebacks(logging.Filter):
    """A refused request (403, 404 …) is one line: where it was raised helps nobody. Errors keep
    their traceback.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if (
            record.name.startswith("django.")
            and getattr(record, "status_code", SERVER_ERROR) < SERVER_ERROR
        ):
            record.exc_info = None
        return True


class WithoutSecrets(logging.Formatter):
    """WeChat wants the access token in the address, and at DEBUG the HTTP library says every
    address.
    """

    def format(self, record: logging.LogRecord) -> str:
        return _SECRETS.sub(r"\1…", super().format(record))
