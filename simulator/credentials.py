"""What WeChat's console holds about the account: the simulator's own copy, from the environment,
not from our rows.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Credentials:
    app_id: str
    secret: str
    token: str
    aes_key: str
    original_id: str
    callback_url: str


def credentials() -> Credentials:
    return Credentials(
        app_id=settings.WECHAT_APP_ID,
        secret=settings.WECHAT_APP_SECRET,
        token=settings.WECHAT_TOKEN,
        aes_key=settings.WECHAT_ENCODING_AES_KEY,
        original_id="gh_" + hashlib.sha256(settings.WECHAT_APP_ID.encode()).hexdigest()[:12],
        callback_url=f"http://127.0.0.1:{settings.PORT}/wechat",
    )
