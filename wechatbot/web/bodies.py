"""How long a body may be and how long it may take, by the path that it is sent to."""

from __future__ import annotations

from wechatbot.web.waits import BODY_SECONDS, CALLBACK_BODY_SECONDS, UPLOAD_SECONDS

MB = 1024 * 1024
MAX_BODY = MB
# Beside the file itself a form has some fields and separators.
MAX_UPLOAD = 20 * MB + 64 * 1024


def is_callback(path: str) -> bool:
    return path == "/wechat" or path.startswith("/wechat/")


def is_upload(path: str) -> bool:
    """The import pages of the admin take files."""
    return path.startswith("/admin/") and path.rstrip("/").endswith("/import")


def max_body(path: str) -> int:
    return MAX_UPLOAD if is_upload(path) else MAX_BODY


def seconds_for_body(path: str) -> float:
    if is_callback(path):
        return CALLBACK_BODY_SECONDS
    return UPLOAD_SECONDS if is_upload(path) else BODY_SECONDS
