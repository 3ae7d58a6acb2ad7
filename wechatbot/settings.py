"""All settings, read from the environment in one style. Wrong or contradicting values are system
checks.

The names are a contract: see the table in README.md. Every one has a default that makes the
embedded mode run.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from celery.schedules import crontab
from django.utils.translation import gettext_lazy as _

from wechatbot.admin_menu import UNFOLD as UNFOLD
from wechatbot.content_policy import POLICY
from wechatbot.environment import Environment, split_url
from wechatbot.generated import generated, random_text

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()
env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))

# Where this installation keeps what it makes itself: SQLite file, private Redis, logs, secrets.
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
SECRETS_DIR = DATA_DIR / "secrets"

# --- Web -----------------------------------------------------------------------------------------

PORT = env.int("PORT", default=8000)
PUBLIC_URL = env.str("PUBLIC_URL", default=f"http://localhost:{PORT}").rstrip("/")
PUBLIC_HOST = split_url(PUBLIC_URL).hostname or "localhost"
LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
IS_LOCAL = PUBLIC_HOST in {"localhost", "127.0.0.1", "::1"}

IS_HTTPS = PUBLIC_URL.startswith("https://")
# Whose word about an address or about https is believed: our own machine's proxy or tunnel.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES", default=["127.0.0.0/8", "::1/128"])

# No Redis named: `serve` starts a private one. That is the embedded mode.
EMBEDDED = not env.str("REDIS_URL", default="")
DEBUG = env.bool("DEBUG", default=EMBEDDED) and IS_LOCAL
SECRET_KEY = env.str("SECRET_KEY", default="") or generated(
    SECRETS_DIR, "secret_key", lambda: random_text(64)
)
# Former keys: what they have signed or encrypted still opens, what is new is made with the present
# one.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = [
    *env.list("ALLOWED_HOSTS", default=LOCAL_HOSTS),
    *([] if IS_LOCAL else [PUBLIC_HOST, *LOCAL_HOSTS]),
]
CSRF_TRUSTED_ORIGINS = [] if IS_LOCAL else [f"https://{PUBLIC_HOST}", PUBLIC_URL]
if IS_HTTPS:
    # The tunnel or nginx speaks https and tells us so in this header; see `callers` for who is
    # believed.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# By plain http from this very machine they go without; see `callers`. A tunnel is reached by its
# local name as well.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("SECURE_COOKIES", default=IS_HTTPS)
LANGUAGE_COOKIE_SECURE = SESSION_COOKIE_SECURE
SECURE_HSTS_SECONDS = 30 * 24 * 3600 if IS_HTTPS else 0
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # Other names below our host are not ours to promise https for.
    "security.W021",  # Nor is the browsers' list of hosts that have nothing but https.
    "security.W008",  # nginx sends http to https; by the local name we are reached without.
]
SESSION_COOKIE_NAME = "wechatbot_session"

# The simulator shows customers' words and signs pushes: open on one's own machine, for staff
# through a tunnel, and not there when DEBUG is switched off, unless it is asked for.
SIMULATOR = env.bool("SIMULATOR", default=EMBEDDED and env.bool("DEBUG", default=True))
SIMULATOR_NEEDS_LOGIN = not (DEBUG and IS_LOCAL)

# --- Database and Redis --------------------------------------------------------------------------


def _redis_socket() -> Path:
    """A unix socket's path holds at most 107 bytes; a deep DATA_DIR gets a short name in the
    temporary folder.
    """
    socket = DATA_DIR / "redis" / "redis.sock"
    if len(str(socket).encode()) <= 100:
        return socket
    digest = hashlib.sha256(str(DATA_DIR).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"wechatbot-{digest}" / "redis.sock"


REDIS_SOCKET = _redis_socket()
REDIS_URL = env.str("REDIS_URL", default="") or f"unix://{REDIS_SOCKET}?db=0"

_database_url = env.str("DATABASE_URL", default="") or f"sqlite:///{DATA_DIR / 'wechatbot.sqlite3'}"
DATABASES = {"default": env.db_url_config(_database_url)}
DATABASE_SCHEME = _database_url.partition(":")[0]
DATABASES["default"]["CONN_MAX_AGE"] = 0
if DATABASE_SCHEME == "sqlite":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # A file as in production: threads of an in-memory database lock each other's tables.
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["ENGINE"] = "common.mysql"
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        charset="utf8mb4", connect_timeout=3, read_timeout=10
    )
    DATABASES["default"]["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"SOCKET_TIMEOUT": 0.5, "SOCKET_CONNECT_TIMEOUT": 0.5},
    }
}

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        # redis-py 8 closes a socket that is silent for 5 s, and a desk is silent for hours.
        "CONFIG": {
            "hosts": [{"address": REDIS_URL, "socket_timeout": None, "health_check_interval": 30}]
        },
    }
}

# --- Applications --------------------------------------------------------------------------------

INSTALLED_APPS = [
    "wechatbot.apps.WechatbotConfig",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "import_export",
    "axes",
    "channels",
    "wechat",
    "llm",
    "knowledge",
    "conversations",
    "assistant",
    "tickets",
    "webhook",
    *(["simulator"] if SIMULATOR else []),
]

MIDDLEWARE = [
    "wechatbot.callers.callers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "wechatbot.content_policy.ContentPolicyMiddleware",
    "axes.middleware.AxesMiddleware",
    "wechatbot.login.busy.BusyMiddleware",
]

CONTENT_SECURITY_POLICY = {"DIRECTIVES": POLICY}

ROOT_URLCONF = "wechatbot.urls"
ASGI_APPLICATION = "wechatbot.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = ["wechatbot.login.hashing.Argon2Hasher", "wechatbot.login.hashing.PBKDF2Hasher"]
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# The limits stand in `wechatbot.login.attempts`; its counters are in Redis, and the tables of Axes
# stay empty.
AXES_HANDLER = "wechatbot.login.handler.LoginHandler"
AXES_CLIENT_IP_CALLABLE = "common.callers.client_address"
AXES_LOCKOUT_CALLABLE = "wechatbot.login.handler.refused"
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# Secrets at rest (django-fernet-encrypted-fields): derived from SECRET_KEY with a salt of this
# installation.
_salt_key = env.str("SALT_KEY", default="") or generated(
    SECRETS_DIR, "salt_key", lambda: random_text(32)
)
SALT_KEY = [_salt_key, *env.list("SALT_KEY_FALLBACKS", default=[])]

# --- Language, time, static files ----------------------------------------------------------------

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("简体中文")), ("en", _("英语"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Without collectstatic (embedded mode, also behind a tunnel) files are found where they are.
WHITENOISE_USE_FINDERS = True

# --- WeChat --------------------------------------------------------------------------------------

WECHAT_APP_ID = env.str("WECHAT_APP_ID", default="")
WECHAT_APP_SECRET = env.str("WECHAT_APP_SECRET", default="")
WECHAT_TOKEN = env.str("WECHAT_TOKEN", default="")
WECHAT_ENCODING_AES_KEY = env.str("WECHAT_ENCODING_AES_KEY", default="")
WECHAT_REPLY_MODE = env.str("WECHAT_REPLY_MODE", default="auto")
# WeChat's signature covers what is sealed. The simulator's phone sends in every mode, so its own
# account takes all.
WECHAT_ENCRYPTED_ONLY = env.bool(
    "WECHAT_ENCRYPTED_ONLY", default=bool(WECHAT_APP_ID and WECHAT_ENCODING_AES_KEY)
)
WECHAT_PREVIOUS_AES_KEY_HOURS = env.float("WECHAT_PREVIOUS_AES_KEY_HOURS", default=24.0)
# The first account is the simulator's own until a real one is named.
WECHAT_IS_SIMULATED = SIMULATOR and not WECHAT_APP_ID
if WECHAT_IS_SIMULATED:
    WECHAT_APP_ID = generated(
        SECRETS_DIR, "simulator_app_id", lambda: "wx" + random_text(16).lower()
    )
    WECHAT_APP_SECRET = generated(
        SECRETS_DIR, "simulator_app_secret", lambda: random_text(32).lower()
    )
    WECHAT_TOKEN = generated(SECRETS_DIR, "simulator_token", lambda: random_text(24))
    WECHAT_ENCODING_AES_KEY = generated(SECRETS_DIR, "simulator_aes_key", lambda: random_text(43))
SIMULATOR_API_URL = f"http://127.0.0.1:{PORT}/simulator/api"
WECHAT_API_URL = env.str(
    "WECHAT_API_URL",
    default=SIMULATOR_API_URL if WECHAT_IS_SIMULATED else "https://api.weixin.qq.com",
).rstrip("/")

RATE_LIMIT_PER_MINUTE = env.int("RATE_LIMIT_PER_MINUTE", default=20)
NEW_CUSTOMERS_PER_MINUTE = env.int("NEW_CUSTOMERS_PER_MINUTE", default=300)
RATE_LIMIT_STATUS = env.int("RATE_LIMIT_STATUS", default=429)
SESSION_TTL_SECONDS = env.int("SESSION_TTL_SECONDS", default=1800)
HOLD_SECONDS = env.float("HOLD_SECONDS", default=2.0)
CALLBACK_MAX_AGE = env.int("CALLBACK_MAX_AGE", default=3600)

# --- How long rows are kept, in days; 0 is for ever ----------------------------------------------

KEEP_RAW_DAYS = env.int("KEEP_RAW_DAYS", default=30)
KEEP_LOG_DAYS = env.int("KEEP_LOG_DAYS", default=90)
KEEP_ADMIN_LOG_DAYS = env.int("KEEP_ADMIN_LOG_DAYS", default=400)
KEEP_MESSAGE_DAYS = env.int("KEEP_MESSAGE_DAYS", default=400)

# --- Language models -----------------------------------------------------------------------------

LLM_BASE_URL = env.str("LLM_BASE_URL", default="")
LLM_API_KEY = env.str("LLM_API_KEY", default="")
LLM_MODEL = env.str("LLM_MODEL", default="")
LLM_FALLBACK_BASE_URL = env.str("LLM_FALLBACK_BASE_URL", default="")
LLM_FALLBACK_API_KEY = env.str("LLM_FALLBACK_API_KEY", default="")
LLM_FALLBACK_MODEL = env.str("LLM_FALLBACK_MODEL", default="")
LLM_TEMPERATURE = env.float("LLM_TEMPERATURE", default=0.7)
LLM_MAX_TOKENS = env.int("LLM_MAX_TOKENS", default=500)
# Hosts in private networks that an address typed in the admin may lead to, as `host` or
# `host:port`. What the environment itself names, and our own simulator, need no entry.
ALLOWED_PRIVATE_HOSTS = env.list("ALLOWED_PRIVATE_HOSTS", default=[])
URLS_OF_THE_ENVIRONMENT = (LLM_BASE_URL, LLM_FALLBACK_BASE_URL, WECHAT_API_URL, SIMULATOR_API_URL)

# --- Worker --------------------------------------------------------------------------------------

WORKER_THREADS = env.int("WORKER_THREADS", default=300)

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace(
    "?db=", "?virtual_host=", 1
)
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_timeout": 5, "socket_connect_timeout": 2}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = (
    False  # The database is the truth; webhook.recovery picks up what a dying worker drops.
)
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "webhook.tasks.reply_to_customers": {"queue": "reply"},
    "conversations.tasks.*": {"queue": "deliver"},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    # Three times: a night's pass that was cut off goes on an hour later, one that was not finds
    # nothing to do.
    "delete what is old": {
        "task": "wechatbot.tasks.delete_old",
        "schedule": crontab(hour="3-5", minute="17"),
        "options": {"expires": 3000},
    },
}

# --- Mail and logs -------------------------------------------------------------------------------

vars().update(env.mail("EMAIL_URL", default="consolemail://"))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "wechatbot.logs.WithoutSecrets",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        }
    },
    "filters": {
        "without_refusal_tracebacks": {"()": "wechatbot.logs.WithoutRefusalTracebacks"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["without_refusal_tracebacks"],
        }
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # Django's own handler would write each line a second time.
        "django": {"handlers": [], "level": "INFO"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}

# What `wechatbot.checks` complains of.
UNREADABLE = env.unreadable
