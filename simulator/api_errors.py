"""How the API says no: HTTP 200, a code, a text, and an id to ask support about."""

from __future__ import annotations

import secrets
import time
from typing import Any


class Refused(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text

    def as_json(self) -> dict[str, Any]:
        return {"errcode": self.code, "errmsg": f"{self.text} rid: {_new_rid()}"}


def _new_rid() -> str:
    return f"{int(time.time()):x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
