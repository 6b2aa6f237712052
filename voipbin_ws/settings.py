"""All settings of the gateway, read from the environment and listed in docs/settings.md."""

# Long because all settings stand in one place.

from __future__ import annotations

import contextlib
import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.http.request import split_domain_port

from events.domain.call_state import CallStage
from voipbin_ws import __version__
from voipbin_ws.environment import (
    amqp,
    call_silence,
    comma_separated,
    credential,
    database,
    flag,
    keys,
    level,
    load_or_create_secret,
    log_format,
    networks,
    origin,
    origins,
    platforms,
    read,
    redis,
    require_at_least,
    resources,
    roles,
    seconds,
    whole,
)
from voipbin_ws.observability.log_config import logging_configuration
from voipbin_ws.postgres import GatewayConnection

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

# --- The process ---------------------------------------------------------------------------------------------------

DEBUG = read("DEBUG", flag, False, "0")
SECRET_KEY = read("SECRET_KEY", str, "", "a long random text") or load_or_create_secret(
    VAR_DIR / "secret_key"
)
SECRET_KEY_FALLBACKS: list[str] = read(
    "SECRET_KEY_FALLBACKS", comma_separated, [], "the-key-before,the-one-before-that"
)

ROOT_URLCONF = "voipbin_ws.urls"
ASGI_APPLICATION = "voipbin_ws.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_THOUSAND_SEPARATOR = True
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "voipbin_ws" / "locale"]
FORMAT_MODULE_PATH = "voipbin_ws.formats"

# --- How it is reached ---------------------------------------------------------------------------------------------

PUBLIC_URL = read("PUBLIC_URL", origin, "", "https://ws.example.com")
_more_hosts: list[str] = read("ALLOWED_HOSTS", comma_separated, [], "ws.example.com,10.0.0.5")
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *_more_hosts]
CSRF_TRUSTED_ORIGINS: list[str] = read("CSRF_TRUSTED_ORIGINS", origins, [], "https://ws.example.com")
WEBSOCKET_ORIGINS: list[str] = read("WEBSOCKET_ORIGINS", origins, [], "https://desk.example.com")
TRUSTED_PROXIES: list[str] = read("TRUSTED_PROXIES", networks, [], "127.0.0.1,10.0.0.0/8")
_hsts_seconds = read("HSTS_SECONDS", whole(0, 63_072_000), 31_536_000, "31536000")
if PUBLIC_URL:
    ALLOWED_HOSTS = [*ALLOWED_HOSTS, split_domain_port(urlsplit(PUBLIC_URL).netloc)[0]]
    CSRF_TRUSTED_ORIGINS = [*CSRF_TRUSTED_ORIGINS, PUBLIC_URL]
    WEBSOCKET_ORIGINS = [*WEBSOCKET_ORIGINS, *origins(PUBLIC_URL)]

HTTP_PATIENCE_SECONDS = read("HTTP_PATIENCE_SECONDS", seconds(0.5, 3600), 30.0, "30")

SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "voipbin_ws.http.error_pages.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
if PUBLIC_URL.startswith("https://"):
    SECURE_SSL_REDIRECT = True
    # Browsers are redirected to HTTPS. A program that sent its credential unencrypted would not notice a redirect, and
    # inside the operator's network, between the proxy and the gateway, it may do so.
    SECURE_REDIRECT_EXEMPT = [r"^(v1\.0|auth)/", r"^(healthz|readyz|metrics)$"]
    SECURE_HSTS_SECONDS = _hsts_seconds
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    # Preloading is for the owner of the whole domain to request.
    SILENCED_SYSTEM_CHECKS = ["security.W021"]
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    # No other host of the domain can set a cookie of such a name (RFC 6265bis, 4.1.3.2).
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"

INSTALLED_APPS = [
    "voipbin_ws.apps.GatewayConfig",
    "subscriptions.apps.SubscriptionsConfig",
    "events.apps.EventsConfig",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "voipbin_ws.apps.GatewayAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "voipbin_ws.http.request_log.log_requests",
    "voipbin_ws.http.security_headers.security_headers",
    # Its random padding hides the length of a body from a page that has the browser guess at it (BREACH).
    "django.middleware.gzip.GZipMiddleware",
    "voipbin_ws.languages.choice.answer_in_language",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "voipbin_ws.http.error_pages.refuse_hashes",
    "voipbin_ws.masked_responses.mask_numbers",
]

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
            ],
        },
    },
]

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
with contextlib.suppress(
    OSError
):  # A read-only checkout works too: WhiteNoise only warns without the folder.
    VAR_DIR.mkdir(mode=0o700, exist_ok=True)
    STATIC_ROOT.mkdir(exist_ok=True)
# The pages load the published JavaScript client.
STATICFILES_DIRS = [("voipbin_ws", BASE_DIR / "clients" / "javascript")]
# Files are served from the apps' folders, so that a checkout runs without collectstatic.
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "voipbin_ws.static_files.storage.VersionedStaticFilesStorage"},
}

# Django's PBKDF2, with a bound on the hashes at once.
PASSWORD_HASHERS = ["subscriptions.auth.password_hashing.BoundedPBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# --- Where things are kept -----------------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": read(
        "DATABASE_URL",
        database,
        {"ENGINE": "django.db.backends.sqlite3", "NAME": str(VAR_DIR / "db.sqlite3")},
        "postgresql://user:password@db.example.com:5432/voipbin_ws",
    )
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Each of the few threads keeps its connection: closing the last one checkpoints the WAL, at the cost of a commit.
    DATABASES["default"]["CONN_MAX_AGE"] = None
    DATABASES["default"]["OPTIONS"] = {
        # A transaction that reads first and writes later could not be retried: take the write lock at its start.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # FULL: an event that was confirmed to its publisher survives a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-1000;",
    }
else:
    # Connections must return to the pool after each use.
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    # A pooler in transaction mode has another connection for each part of such a cursor.
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
    DATABASES["default"]["OPTIONS"] = {
        **DATABASES["default"].get("OPTIONS", {}),
        "connect_timeout": 5,
        "pool": {
            "connection_class": GatewayConnection,
            "min_size": 1,
            "max_size": read("DATABASE_POOL_SIZE", whole(4, 500), 20, "20"),
            "timeout": 5,
            # The pool's own pauses grow beyond half a minute: instead, each request tries again.
            "reconnect_timeout": 2,
        },
    }

# After a restart of PostgreSQL the pool is full of dead connections, each of which would fail one request.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DATABASE_ANSWER_SECONDS = read("DATABASE_ANSWER_SECONDS", seconds(1, 3600), 10.0, "10")

REDIS_URL = read("REDIS_URL", redis, "", "redis://cache.example.com:6379/0")
CHANNEL_LAYERS: dict[str, dict[str, object]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "voipbin_ws"},
    }
    if REDIS_URL
    # The hub is its only reader; events beyond the capacity are read from the log.
    else {"BACKEND": "events.announcements.in_memory_layer.LocalChannelLayer", "CONFIG": {"capacity": 1000}},
}

# --- Events --------------------------------------------------------------------------------------------------------

EVENTS_EXTRA_RESOURCES: list[str] = read("EXTRA_RESOURCES", resources, [], "fax,voicemail")
EVENTS_MAX_IN_REQUEST = read("PUBLISH_MAX_EVENTS", whole(1, 100_000), 1000, "1000")
EVENTS_MAX_REQUEST_BYTES = read("PUBLISH_MAX_BYTES", whole(1024, 2**30), 10 * 2**20, "10485760")
EVENTS_MAX_DATA_BYTES = read("EVENT_MAX_BYTES", whole(256, 2**24), 256 * 2**10, "262144")
EVENTS_VOIPBIN_WEBHOOK_SECRET = read("VOIPBIN_WEBHOOK_SECRET", str, "", "the secret set in VoIPBIN")
EVENTS_CALL_SILENCE: dict[CallStage, timedelta] = read(
    "CALL_SILENCE",
    call_silence,
    {
        CallStage.RINGING: timedelta(minutes=15),
        CallStage.WAITING: timedelta(hours=4),
        CallStage.ANSWERED: timedelta(hours=12),
    },
    "ringing=15m,waiting=4h,answered=12h",
)
EVENTS_WEBHOOK_REPEAT_SECONDS = read("WEBHOOK_REPEAT_SECONDS", whole(0, 7 * 86400), 600, "600")
AMQP_URL = read("AMQP_URL", amqp, "", "amqp://user:password@mq.example.com:5672/")
EVENTS_QUEUE_AGENTS = "subscriptions.event_hooks.queue_agents.agents_serving"
EVENTS_CUSTOMER_PROFILE = "subscriptions.event_hooks.profile.profile_of"
EVENTS_PROJECTION = "subscriptions.event_hooks.projection.apply"
EVENTS_DIRECTORY = "subscriptions.event_hooks.directory.directory"
EVENTS_QUOTAS = "subscriptions.event_hooks.quotas.quotas_of"
EVENTS_VISIBILITY = "subscriptions.event_hooks.visibility.visible_to"
DATA_UPLOAD_MAX_MEMORY_SIZE = None  # The endpoints with bodies have limits and error messages of their own.
# Uploaded files can have passwords: none is ever written to a temporary file.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 2**62

# --- Quotas; 0: none -------------------------------------------------------------------------------------------------

CUSTOMER_EVENTS_PER_SECOND = read("CUSTOMER_EVENTS_PER_SECOND", whole(0, 1_000_000), 2000, "2000")
CUSTOMER_BYTES_PER_SECOND = read("CUSTOMER_BYTES_PER_SECOND", whole(0, 2**40), 10_000_000, "10000000")
KEY_EVENTS_PER_SECOND = read("KEY_EVENTS_PER_SECOND", whole(0, 1_000_000), 0, "500")
KEY_BYTES_PER_SECOND = read("KEY_BYTES_PER_SECOND", whole(0, 2**40), 0, "500000")
EVENTS_BURST_SECONDS = read("PUBLISH_BURST_SECONDS", whole(1, 3600), 10, "10")
CUSTOMER_MAX_STORED_BYTES = read(
    "CUSTOMER_MAX_STORED_BYTES", whole(0, 2**60), 100_000_000_000, "100000000000"
)
CUSTOMER_MAX_CONNECTIONS = read("CUSTOMER_MAX_CONNECTIONS", whole(0, 10_000_000), 5000, "5000")

# --- Credentials ---------------------------------------------------------------------------------------------------

JWT_LIFETIME_SECONDS = read("JWT_LIFETIME_SECONDS", whole(60, 90 * 86400), 7 * 86400, "604800")
_jwt_keys: list[str] = read(
    "JWT_KEYS", keys, [], "a-new-key-of-at-least-32-characters,the-old-key-of-at-least-32-characters"
)
JWT_KEYS = _jwt_keys or [
    # A separate key: knowledge of one secret does not reveal the other.
    hashlib.sha256(b"voipbin_ws.jwt:" + secret.encode()).hexdigest()
    for secret in (SECRET_KEY, *SECRET_KEY_FALLBACKS)
]
VOIPBIN_JWT_KEYS: list[str] = read("VOIPBIN_JWT_KEYS", comma_separated, [], "the-key-that-VoIPBIN-signs-with")
VOIPBIN_TOKEN_ROLES: list[str] = read(
    "VOIPBIN_TOKEN_ROLES", roles, ["agent", "manager", "admin", "staff"], "agent,manager,admin"
)

# --- Audit log -----------------------------------------------------------------------------------------------------

AUDIT_HEAD_FILE = read(
    "AUDIT_HEAD_FILE", str, str(VAR_DIR / "audit-head.json"), "/var/lib/voipbin-ws/audit-head.json"
)

# --- Connections ---------------------------------------------------------------------------------------------------

MESSAGE_MAX_BYTES = read("MESSAGE_MAX_BYTES", whole(1024, 2**20), 64 * 2**10, "65536")
MESSAGE_MAX_TOPICS = read("MESSAGE_MAX_TOPICS", whole(1, 100_000), 100, "100")
CONNECTION_MAX_TOPICS = read("CONNECTION_MAX_TOPICS", whole(1, 1_000_000), 1000, "1000")
SUBSCRIBE_BURST = read("SUBSCRIBE_BURST", whole(1, 1_000_000), 1000, "1000")
SUBSCRIBE_PER_SECOND = read("SUBSCRIBE_PER_SECOND", whole(1, 1_000_000), 50, "50")
CONNECTIONS_PER_CREDENTIAL = read("CONNECTIONS_PER_CREDENTIAL", whole(1, 1_000_000), 100, "100")
MESSAGE_BURST = read("MESSAGE_BURST", whole(1, 1_000_000), 1000, "1000")
MESSAGES_PER_SECOND = read("MESSAGES_PER_SECOND", whole(1, 1_000_000), 50, "50")
REFUSED_MESSAGES_MAX = read("REFUSED_MESSAGES_MAX", whole(1, 1_000_000), 100, "100")
UNREADABLE_MESSAGES_MAX = read("UNREADABLE_MESSAGES_MAX", whole(1, 1_000_000), 10, "10")
OUTBOX_MAX_BYTES = read("OUTBOX_MAX_BYTES", whole(2**21, 2**30), 4 * 2**20, "4194304")
OUTBOX_MAX_SECONDS = read("OUTBOX_MAX_SECONDS", seconds(1, 3600), 30.0, "30")
PING_SECONDS = read("PING_SECONDS", seconds(0.5, 3600), 20.0, "20")
PONG_SECONDS = read("PONG_SECONDS", seconds(0.5, 3600), 20.0, "20")
REPLAY_MAX_EVENTS = read("REPLAY_MAX_EVENTS", whole(1, 100_000_000), 100_000, "100000")
REPLAYS_AT_ONCE = read("REPLAYS_AT_ONCE", whole(1, 1000), 8, "8")
CHECK_INTERVAL_SECONDS = read("CHECK_INTERVAL_SECONDS", seconds(0.1, 60), 2.0, "2")

require_at_least(
    "OUTBOX_MAX_BYTES",
    OUTBOX_MAX_BYTES,
    (EVENTS_MAX_DATA_BYTES + 2**20) * 4 // 3,
    f"a page of events, each of up to EVENT_MAX_BYTES={EVENTS_MAX_DATA_BYTES}, has to fit into three quarters of it",
)
require_at_least(
    "SUBSCRIBE_BURST",
    SUBSCRIBE_BURST,
    MESSAGE_MAX_TOPICS,
    f"no message with MESSAGE_MAX_TOPICS={MESSAGE_MAX_TOPICS} topics could ever be granted",
)

# --- The platform, which carries out what people ask for -----------------------------------------------------------

PLATFORM_API_URLS: dict[str, str] = read("PLATFORM_API_URL", platforms, {}, "https://api.example.com")
PLATFORM_API_KEY = read("PLATFORM_API_KEY", credential, "", "the-key-that-the-platform-gave")
PLATFORM_ANSWER_SECONDS = read("PLATFORM_ANSWER_SECONDS", seconds(0.5, 60), 5.0, "5")

# --- REST ----------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["subscriptions.auth.authentication.CredentialAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [
        "subscriptions.auth.authentication.IsPermitted",
        "subscriptions.api.number_masks.NoSearchByNumber",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "events.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "voipbin-ws",
    "VERSION": __version__,
    "DESCRIPTION": "Publish what happens on a phone platform, and read past events and the present state. "
    "New events are sent over the [WebSocket](/docs/websocket).",
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "OAS_VERSION": "3.1.0",
    "PREPROCESSING_HOOKS": ["voipbin_ws.pages.openapi.describe_views"],
    "POSTPROCESSING_HOOKS": ["voipbin_ws.pages.openapi.complete"],
}

# --- Metrics -------------------------------------------------------------------------------------------------------

METRICS_TOKEN = read("METRICS_TOKEN", credential, "", "a-token-that-prometheus-shows")
METRICS_PORT = read("METRICS_PORT", whole(0, 65535), 0, "9464")
METRICS_HOST = read("METRICS_HOST", str, "127.0.0.1", "10.0.0.5")

# --- Logs ----------------------------------------------------------------------------------------------------------

LOG_LEVEL = read("LOG_LEVEL", level, "INFO", "INFO")
LOG_FORMAT = read("LOG_FORMAT", log_format, "readable", "json")
LOGGING = logging_configuration(LOG_LEVEL, LOG_FORMAT)
