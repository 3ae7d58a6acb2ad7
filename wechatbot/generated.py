"""Secrets that an installation makes for itself on its first start, kept in DATA_DIR/secrets."""

from __future__ import annotations

import os
import secrets
import string
from collections.abc import Callable
from pathlib import Path

LETTERS_AND_DIGITS = string.ascii_letters + string.digits


def random_text(length: int) -> str:
    return "".join(secrets.choice(LETTERS_AND_DIGITS) for _ in range(length))


def generated(folder: Path, name: str, make: Callable[[], str]) -> str:
    """The secret `name`, made once and the same ever after, whichever process asks first.

    A link is atomic where a rename is not exclusive: of two processes that make the secret at the
    same moment one wins, and both read the winner's.
    """
    path = folder / name
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        # `parents` would make DATA_DIR with the modes of the shell.
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    draft = folder / f".{name}.{os.getpid()}"
    draft.touch(mode=0o600)
    draft.write_text(make() + "\n", encoding="utf-8")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text(encoding="utf-8").strip()
