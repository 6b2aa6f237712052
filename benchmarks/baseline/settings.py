"""The minimal settings of Django and Channels."""

import os

SECRET_KEY = os.environ["BASELINE_SECRET"]
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "benchmarks.baseline.urls"
INSTALLED_APPS = ["channels"]
USE_TZ = True

CHANNEL_LAYERS = {
    # At the default of 100 messages a channel, a burst would be cut short without an error.
    "default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 5000}}
}
