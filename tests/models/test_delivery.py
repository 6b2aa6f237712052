"""The model of the delivery: no order of steps breaks the promise, and each known fault put back breaks it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from deploy.programs import GCC, LIBC, SPIN
from tests.support.requirement import require

MODEL = Path(__file__).with_name("delivery.pml")
LONG = bool(os.environ.get("DRILLS"))

SMALL = ("EVENTS=2", "PUBLISHERS=1", "QUEUE=1")
CONFIGURATIONS = {
    "a lossy layer": SMALL,
    "pruning": (*SMALL, "DISCONNECTS=0", "PRUNING"),
    "new epochs": (*SMALL, "DISCONNECTS=0", "RENEWAL"),
    "a failover": (*SMALL, "DISCONNECTS=0", "FAILOVER"),
    "no loss, without comparisons": ("EVENTS=2", "LOSSLESS", "NO_COMPARISON"),
}
LONG_CONFIGURATIONS = {
    "a lossy layer, two publishers": ("EVENTS=2",),
    "pruning, with a disconnect": (*SMALL, "PRUNING"),
    "new epochs, with a disconnect": (*SMALL, "RENEWAL"),
    "a failover, with a disconnect": (*SMALL, "FAILOVER"),
    "a failover of three events": ("EVENTS=3", *SMALL[1:], "DISCONNECTS=0", "FAILOVER"),
    "everything once": (*SMALL, "DISCONNECTS=0", "PRUNING", "RENEWAL", "FAILOVER"),
}
FAULTS = {
    "no row lock": ("EVENTS=2", "NO_ROW_LOCK"),
    "no gap repair": ("EVENTS=2", "NO_GAP_REPAIR"),
    "no comparison of numbers": ("EVENTS=2", "NO_COMPARISON"),
    # The comparison finds what this loses, a few seconds late: without it, a layer that loses nothing must suffice.
    "the head is read before the group is joined": (
        "EVENTS=2",
        "LOSSLESS",
        "NO_COMPARISON",
        "NO_JOIN_BEFORE_HEAD",
    ),
    "a replay without buffering": ("EVENTS=2", "NO_BUFFERING"),
    "a failover that goes unnoticed": ("EVENTS=2", "FAILOVER", "NO_FAILOVER_CHECK"),
}
# To compile a small model takes longer than to check it, at -O2 several times as long.
OPTIMISATION = "-O2" if LONG else "-O0"


def check(folder: Path, macros: tuple[str, ...]) -> tuple[int, str]:
    """Check the model in all its states; returns the number of errors, and what spin reported."""
    spin, gcc, _ = require(SPIN), require(GCC), require(LIBC)
    options = [f"-D{macro}" for macro in macros]
    subprocess.run([spin, "-a", *options, MODEL], cwd=folder, check=True, capture_output=True)
    subprocess.run(
        [gcc, OPTIMISATION, "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c"], cwd=folder, check=True
    )
    done = subprocess.run(
        ["./pan", "-m200000", "-w22"], cwd=folder, check=True, capture_output=True, text=True
    )
    errors = re.search(r"errors: (\d+)", done.stdout)
    assert errors, done.stdout + done.stderr
    assert "Search not completed" not in done.stdout or errors[1] != "0", done.stdout
    assert "max search depth too small" not in done.stdout, done.stdout
    return int(errors[1]), done.stdout


@pytest.mark.parametrize("name", CONFIGURATIONS | LONG_CONFIGURATIONS if LONG else CONFIGURATIONS)
def test_no_order_of_steps_loses_repeats_or_reorders_an_event_unnoticed(name: str, tmp_path: Path) -> None:
    errors, report = check(tmp_path, (CONFIGURATIONS | LONG_CONFIGURATIONS)[name])
    assert errors == 0, report


@pytest.mark.parametrize("name", FAULTS)
def test_a_known_fault_breaks_the_promise(name: str, tmp_path: Path) -> None:
    errors, report = check(tmp_path, FAULTS[name])
    assert errors > 0, report
    assert "assertion violated" in report
