"""What the tests' own process runs on: a private Redis, a private DATA_DIR, and none of the
developer's settings.

Set before Django reads its settings, hence at the import of `tests/conftest.py`. Each process of
pytest-xdist has its own, because every test begins with an empty Redis.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from tests.services.redis_server import PrivateRedis

# The names of README's table: a developer's .env or shell must not decide what a test sees.
CONTRACT = (
    *(
        "SECRET_KEY",
        "DEBUG",
        "ALLOWED_HOSTS",
        "PUBLIC_URL",
        "PORT",
        "SIMULATOR",
        "SECURE_COOKIES",
        "SALT_KEY",
    ),
    *("TRUSTED_PROXIES", "SECRET_KEY_FALLBACKS", "SALT_KEY_FALLBACKS"),
    *("WECHAT_APP_ID", "WECHAT_APP_SECRET", "WECHAT_TOKEN", "WECHAT_ENCODING_AES_KEY"),
    *(
        "WECHAT_REPLY_MODE",
        "WECHAT_API_URL",
        "WECHAT_ENCRYPTED_ONLY",
        "WECHAT_PREVIOUS_AES_KEY_HOURS",
    ),
    *("LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL"),
    *(
        "LLM_FALLBACK_BASE_URL",
        "LLM_FALLBACK_API_KEY",
        "LLM_FALLBACK_MODEL",
        "LLM_TEMPERATURE",
        "LLM_MAX_TOKENS",
    ),
    *(
        "RATE_LIMIT_PER_MINUTE",
        "RATE_LIMIT_STATUS",
        "NEW_CUSTOMERS_PER_MINUTE",
        "SESSION_TTL_SECONDS",
        "HOLD_SECONDS",
        "CALLBACK_MAX_AGE",
    ),
    *("KEEP_RAW_DAYS", "KEEP_LOG_DAYS", "KEEP_ADMIN_LOG_DAYS", "KEEP_MESSAGE_DAYS"),
    "ALLOWED_PRIVATE_HOSTS",
    *("WORKER_THREADS", "EMAIL_URL", "LOG_LEVEL"),
)


class Surroundings:
    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="wechatbot-test-"))
        self._redis: PrivateRedis | None = None

    def enter(self) -> None:
        for name in CONTRACT:
            os.environ.pop(name, None)
        is_own = "PYTEST_XDIST_WORKER" in os.environ
        os.environ["DJANGO_SETTINGS_MODULE"] = "wechatbot.settings"
        os.environ["ENV_FILE"] = os.devnull
        if is_own or "DATA_DIR" not in os.environ:
            os.environ["DATA_DIR"] = str(self._folder / "data")
        if is_own or not os.environ.get("REDIS_URL"):
            self._redis = PrivateRedis(self._folder / "redis")
            self._redis.start()
            os.environ["REDIS_URL"] = self._redis.url
        # REDIS_URL means production to the settings; these tests look at the embedded mode's pages.
        # The fake models are on this machine.
        os.environ.update(DEBUG="true", SIMULATOR="true", ALLOWED_PRIVATE_HOSTS="127.0.0.1")

    def leave(self) -> None:
        if self._redis is not None:
            self._redis.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
