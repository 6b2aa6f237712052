"""The virtual environment .venv, filled from the lock files and refilled when they change."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from deploy.explanations import explain_os_error, explain_pip

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
# Inside .venv, so that deleting .venv deletes its state too.
STATE = VENV / "prepared.json"
VAR = ROOT / "var"
LOG = VAR / "prepare.log"
# The lock files; each includes the packages of those before it.
REQUIREMENTS = {
    "run": ROOT / "requirements.txt",
    "test": ROOT / "tests" / "requirements.txt",
}
THIS_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


class CannotPrepare(Exception):
    """The preparation failed; the message is one line that says what to do."""


@dataclass(frozen=True)
class State:
    """State of .venv: digests of the lock files it satisfies, and whether it is incomplete."""

    holds: tuple[str, ...] = ()
    unfinished: bool = False


def main(arguments: Sequence[str]) -> int:
    """Prepare .venv for `run` or `test`; print why if the returned exit code is not 0."""
    if len(arguments) != 1 or arguments[0] not in REQUIREMENTS:
        return _refuse(f"say what to prepare for: one of {', '.join(REQUIREMENTS)}")
    try:
        prepare(arguments[0])
    except CannotPrepare as problem:
        return _refuse(str(problem))
    except KeyboardInterrupt:
        _refuse("stopped before .venv was complete; the next make does it again")
        return 130
    except OSError as problem:
        return _refuse(explain_os_error(problem))
    except Exception as problem:
        # Users see one line and no traceback, whatever the error.
        with contextlib.suppress(OSError), LOG.open("a") as log:
            traceback.print_exc(file=log)
        return _refuse(
            f"could not prepare .venv: {problem!r} (see {_name(LOG)}); delete .venv and run make again"
        )
    return 0


def prepare(purpose: str) -> None:
    """Install the packages of `purpose` into .venv, unless it has them.

    Raises:
        CannotPrepare: the message says what to do.
        OSError: the disk failed.
    """
    VAR.mkdir(mode=0o700, exist_ok=True)
    with _exclusive_lock() as lock:
        state = _state()
        wanted = _digest(purpose)
        works = _version_of_venv() == THIS_VERSION
        if works and wanted in state.holds:
            return
        with LOG.open("w") as log:
            # pip regards a package as installed as soon as its metadata exists, so the remains of an interrupted run
            # can only be replaced.
            if not works or state.unfinished or not _has_pip():
                _make_venv(log, lock)
            _install(purpose, log, lock)


def _make_venv(log: IO[str], lock: IO[str]) -> None:
    for part in ("venv", "ensurepip"):
        if importlib.util.find_spec(part) is None:
            raise CannotPrepare(
                f"{sys.executable} has no {part} module: install it (Debian: apt-get install "
                f"python{THIS_VERSION}-venv), then run make again"
            )
    _discard_venv()
    print(f"Making .venv with Python {THIS_VERSION}.", flush=True)
    VENV.mkdir()
    _write_state(State(unfinished=True))
    if _run([sys.executable, "-I", "-m", "venv", str(VENV)], log, lock) != 0:
        raise CannotPrepare(_failure("could not make .venv"))


def _discard_venv() -> None:
    # Renamed first: an interrupted deletion must not leave the remains of a .venv.
    if VENV.is_symlink():
        VENV.unlink()
    elif VENV.exists():
        VENV.rename(VAR / f"discarded-venv-{os.getpid()}")
    for discarded in VAR.glob("discarded-venv-*"):
        shutil.rmtree(discarded)


def _install(purpose: str, log: IO[str], lock: IO[str]) -> None:
    requirements = REQUIREMENTS[purpose]
    print(
        f"Installing {_name(requirements)} into .venv (a minute or two the first time; see {_name(LOG)}).",
        flush=True,
    )
    _write_state(State(unfinished=True))
    pip = [str(VENV_PYTHON), "-I", "-m", "pip", "install"]
    # Compiling all packages takes as long as installing them; Python compiles modules on first use.
    options = ["--require-hashes", "--disable-pip-version-check", "--no-input", "--no-user", "--no-compile"]
    if _run([*pip, *options, "-r", str(requirements)], log, lock) != 0:
        raise CannotPrepare(_failure(f"pip could not install {_name(requirements)}"))
    purposes = list(REQUIREMENTS)
    held = purposes[: purposes.index(purpose) + 1]
    _write_state(State(holds=tuple(map(_digest, held))))


def _run(command: Sequence[str], log: IO[str], lock: IO[str]) -> int:
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        # The child holds the lock too: if this process alone is killed, the next make waits for the child.
        pass_fds=[lock.fileno()],
    )
    return done.returncode


@contextlib.contextmanager
def _exclusive_lock() -> Iterator[IO[str]]:
    with (VAR / "prepare.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another make is preparing .venv; waiting for it to end.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


def _digest(purpose: str) -> str:
    requirements = REQUIREMENTS[purpose]
    try:
        content = requirements.read_bytes()
    except FileNotFoundError:
        raise CannotPrepare(
            f"{_name(requirements)} is missing: run make in a complete copy of the project"
        ) from None
    return hashlib.sha256(THIS_VERSION.encode() + b"\0" + content).hexdigest()


def _state() -> State:
    try:
        state = json.loads(STATE.read_text())
        return State(tuple(state["holds"]), bool(state["unfinished"]))
    except (FileNotFoundError, NotADirectoryError):
        # Perhaps made by hand: pip completes it.
        return State()
    except (ValueError, KeyError, TypeError):
        return State(unfinished=True)


def _write_state(state: State) -> None:
    written = STATE.with_suffix(".new")
    written.write_text(json.dumps(asdict(state)))
    written.replace(STATE)


def _version_of_venv() -> str | None:
    """Return `major.minor` of .venv's Python, or `None` if it does not start."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    return _output_of([str(VENV_PYTHON), "-I", "-c", program])


def _has_pip() -> bool:
    return _output_of([str(VENV_PYTHON), "-I", "-m", "pip", "--version"]) is not None


def _output_of(command: Sequence[str]) -> str | None:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _failure(what: str) -> str:
    return f"{explain_pip(LOG.read_text(errors='replace'), what)} (the whole output: {_name(LOG)})"


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _refuse(line: str) -> int:
    print(f"voipbin-ws: {line}", file=sys.stderr, flush=True)
    return 1
