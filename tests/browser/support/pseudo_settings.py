"""The gateway's settings with a language that exists only in tests; see `pseudo_locale`."""

import os
from pathlib import Path

from voipbin_ws.settings import *  # noqa: F403
from voipbin_ws.settings import LANGUAGES, LOCALE_PATHS, STATICFILES_DIRS

_FOLDER = Path(os.environ["PSEUDO_LOCALE"])

LANGUAGES = [*LANGUAGES, ("en-xa", "Pseudo")]
LOCALE_PATHS = [*LOCALE_PATHS, _FOLDER / "locale"]
STATICFILES_DIRS = [*STATICFILES_DIRS, ("voipbin_ws/languages", _FOLDER / "scripts")]
