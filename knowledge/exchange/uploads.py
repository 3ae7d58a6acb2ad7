"""Uploaded files between their preview and its confirmation, which may reach another web process.

They lie in DATA_DIR: all web processes share it, in containers as a volume. Redis has no room for
20 MB.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from import_export.tmp_storages import BaseStorage

from knowledge.exchange.csv_file import FileRefused

KEEP_SECONDS = 3600
# 20 MB each: a disk is not to be filled by uploading again and again.
MOST_KEPT = 20
_NAME = re.compile(r"[0-9a-f]{32}")


class Upload(BaseStorage):
    """One file under a name that nobody guesses."""

    def save(self, data: bytes) -> None:
        _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        _delete_old()
        self.name = secrets.token_hex(16)
        opened = os.open(_folder() / self.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "wb") as file:
            file.write(data)

    def read(self) -> Any:
        try:
            return self._path().read_bytes()
        except FileNotFoundError as error:
            raise FileRefused(_("上传的文件已经导入过或已过期，请重新上传。")) from error

    def remove(self) -> None:
        self._path().unlink(missing_ok=True)

    def _path(self) -> Path:
        # The name comes back from a browser.
        if not _NAME.fullmatch(self.name or ""):
            raise FileRefused(_("上传的文件已经导入过或已过期，请重新上传。"))
        return _folder() / self.name


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "imports"


def _delete_old() -> None:
    """What was previewed and never confirmed: after its time, or to make room for one more."""
    oldest = time.time() - KEEP_SECONDS
    newest_first = sorted(_written_at(), reverse=True)
    for place, (written_at, path) in enumerate(newest_first, start=1):
        if written_at < oldest or place >= MOST_KEPT:
            path.unlink(missing_ok=True)


def _written_at() -> Iterator[tuple[float, Path]]:
    for path in _folder().iterdir():
        # Another process may delete the same file now.
        with suppress(FileNotFoundError):
            yield path.stat().st_mtime, path
