"""The gateway's settings, and the stamping app."""

from voipbin_ws.settings import *  # noqa: F403
from voipbin_ws.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks.stamping.apps.StampingConfig"]
