"""One-line explanations of failed preparations, with what to do."""

from __future__ import annotations

import errno
import re

_NEEDED_SPACE = "about 800 MB"

# Patterns in pip's output and their meaning. The first match counts: after a failed connection pip ends with "No
# matching distribution", which would mislead.
_PIP_FAILURES = (
    (
        r"No space left on device|Disk quota exceeded",
        f"no space left on the disk: free {_NEEDED_SPACE}, then run make again",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED",
        "pip does not trust the package index's certificate: behind a company's proxy, name its CA file in "
        "PIP_CERT, then run make again",
    ),
    (
        r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|ProtocolError"
        r"|Temporary failure in name resolution|Network is unreachable|Connection refused|Connection reset"
        r"|Remote end closed connection|Read timed out",
        "no network: pip could not reach the package index. Connect this machine, or name an index that it "
        "reaches in PIP_INDEX_URL, then run make again",
    ),
    (
        r"\(from versions: none\)",
        "pip found no version at all of a package: no network, or an index in PIP_INDEX_URL without it. Put that "
        "right, then run make again",
    ),
)


def explain_pip(output: str, what: str) -> str:
    """Explain a failed pip by its output; `what` names the attempt if no pattern matches."""
    for pattern, advice in _PIP_FAILURES:
        if re.search(pattern, output):
            return advice
    errors = re.findall(r"^ *ERROR: (.*)$", output, re.MULTILINE)
    reason = f" ({errors[-1]})" if errors else ""
    return f"{what}{reason}: put that right, then run make again"


def explain_os_error(problem: OSError) -> str:
    """Explain an error of the disk or the operating system."""
    where = f" {problem.filename}" if problem.filename else ""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left on the disk{where}: free {_NEEDED_SPACE}, then run make again"
    if problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"may not write{where}: run make in a folder that is yours, or make it yours with chown"
    return f"could not prepare .venv: {problem.strerror or problem}{where}"
