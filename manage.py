#!/usr/bin/env python
"""Command line of the project: Django's, with the gateway's settings."""

import os
import sys
from pathlib import Path

CLIENT = Path(__file__).resolve().parent / "clients" / "python" / "src"


def main() -> None:
    # The command `listen` uses the Python client of this checkout, which is a package of its own.
    sys.path.insert(1, str(CLIENT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voipbin_ws.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        settings.INSTALLED_APPS  # noqa: B018 - reads the settings, where a bad value shows
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
