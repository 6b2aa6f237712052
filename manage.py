#!/usr/bin/env python
"""Command line of the project: Django's, with the gateway's settings."""

import os
import sys
from pathlib import Path

CLIENT = Path(__file__).resolve().parent / "clients" / "python" / "src"


def main() -> None:
    os.umask(0o027)  # The database and the logs are not for every user of this machine.
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
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"The database cannot be used: {str(error).partition(chr(10))[0]}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
