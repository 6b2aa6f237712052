"""The least that Django and Channels ask for."""

import os

SECRET_KEY = os.environ["BASELINE_SECRET"]
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.baseline.urls"
INSTALLED_APPS = ["channels"]
USE_TZ = True

REDIS_URL = os.environ.get("BASELINE_REDIS_URL")
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "capacity": 5000},
    }
    if REDIS_URL
    # At the default of 100 messages a channel, a burst would be cut short without a word.
    else {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 5000}}
}
