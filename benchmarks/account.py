"""The two accounts of a benchmark. The peers read this too: nothing heavy is imported here."""

from __future__ import annotations

from typing import Literal

Kind = Literal["api", "passive"]
APP_IDS: dict[Kind, str] = {"api": "wxbench0000000001", "passive": "wxbench0000000002"}
APP_SECRET = "benchmark-secret"
TOKEN = "benchmarktoken"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
ORIGINAL_ID = "gh_benchmark"
