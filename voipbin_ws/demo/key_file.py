"""The keys of the demo's programs in var/demo.json; the database stores only their hashes."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field

from voipbin_ws.settings import VAR_DIR

PATH = VAR_DIR / "demo.json"


@dataclass(frozen=True, slots=True)
class Keys:
    """The publish key of each customer, by its id, and the auto-responder's key."""

    publish: dict[str, str] = field(default_factory=dict)
    responder: str = ""


def load_keys() -> Keys:
    """Return the keys of the last run; none if the file cannot be read."""
    try:
        kept = json.loads(PATH.read_text())
        publish = {str(customer_id): str(secret) for customer_id, secret in kept["publish_keys"].items()}
        return Keys(publish, str(kept.get("responder_key", "")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Keys()


def store_keys(keys: Keys) -> None:
    """Store the keys for the next run, readable by the owner alone."""
    written = PATH.with_suffix(".new")
    written.unlink(missing_ok=True)
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"publish_keys": keys.publish, "responder_key": keys.responder}, file, indent=1)
    written.replace(PATH)
