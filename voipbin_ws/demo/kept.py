"""var/demo.json: the demo's publish keys, which the database itself holds only as hashes."""

from __future__ import annotations

import json
import os

from voipbin_ws.settings import VAR_DIR

PATH = VAR_DIR / "demo.json"


def kept_keys() -> dict[str, str]:
    """The keys of the run before, by customer id; what cannot be read is as good as lost."""
    try:
        keys = json.loads(PATH.read_text())["publish_keys"]
        return {str(customer_id): str(secret) for customer_id, secret in keys.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def keep_keys(keys: dict[str, str]) -> None:
    """Keep them for the next run, readable by the owner alone."""
    written = PATH.with_suffix(".new")
    written.unlink(missing_ok=True)
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"publish_keys": keys}, file, indent=1)
    written.replace(PATH)
