"""The gateway's settings, and the app that breaks it."""

from voipbin_ws.settings import *  # noqa: F403
from voipbin_ws.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.failpoints.apps.FailpointsConfig"]
