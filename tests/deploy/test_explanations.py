"""Explanations of failures of pip and of the operating system."""

from __future__ import annotations

import errno
import os

import pytest

from deploy.explanations import explain_os_error, explain_pip

ENDS_WITHOUT_MATCH = "ERROR: No matching distribution found for Django==5.2.19"


@pytest.mark.parametrize(
    ("output", "reported"),
    [
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError(... Errno -3 Temporary failure in name "
            f"resolution)': /simple/django/\n{ENDS_WITHOUT_MATCH}",
            "no network",
        ),
        ("pip._vendor.urllib3.exceptions.ReadTimeoutError: Read timed out.", "no network"),
        (
            "ERROR: Could not install packages: [Errno 28] No space left on device",
            "no space left on the disk",
        ),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))", "PIP_CERT"),
        (f"ERROR: Could not find a version (from versions: none)\n{ENDS_WITHOUT_MATCH}", "no version at all"),
        (ENDS_WITHOUT_MATCH, "(No matching distribution found for Django==5.2.19)"),
        ("Killed", "pip could not install requirements.txt: put that right"),
    ],
)
def test_a_failed_pip_is_explained(output: str, reported: str) -> None:
    explained = explain_pip(output, "pip could not install requirements.txt")
    assert reported in explained
    assert explained.endswith("then run make again")
    assert "\n" not in explained


@pytest.mark.parametrize(
    ("code", "reported"),
    [
        (errno.ENOSPC, "no space left on the disk"),
        (errno.EROFS, "may not write /srv/project/var"),
        (errno.EACCES, "may not write /srv/project/var"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_an_error_of_the_system_is_explained(code: int, reported: str) -> None:
    assert reported in explain_os_error(OSError(code, os.strerror(code), "/srv/project/var"))
