"""Programs that the tests need: installed by apt-get as root, or else reported as missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy import programs
from deploy.programs import Program

# Knows the package only after an update, as on a machine that has no package lists yet.
APT_GET = """#!/bin/sh
echo "$@" >> {folder}/calls
case "$1" in
    update) touch {folder}/lists ;;
    install) [ -e {folder}/lists ] || exit 100
        for word in "$@"; do [ "$word" = there-is-one ] && touch {folder}/one && exit 0; done
        exit 100 ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that lacks two programs, of which apt-get can bring one; its user is root."""
    apt_get = tmp_path / "apt-get"
    apt_get.write_text(APT_GET.format(folder=tmp_path))
    apt_get.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(programs, "LOG", tmp_path / "var" / "apt.log")

    def found(name: str) -> Path | None:
        return tmp_path / name if (tmp_path / name).exists() else None

    one = Program("One", "there-is-one", lambda: found("one"))
    other = Program("Other", "there-is-none", lambda: found("other"))
    monkeypatch.setattr(programs, "PROGRAMS", (one, other))
    return tmp_path


def test_root_installs_what_there_is_and_reports_the_rest(
    machine: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert programs.main() == 0
    assert (machine / "one").exists()
    (complaint,) = capfd.readouterr().err.splitlines()
    assert complaint.startswith("voipbin-ws: no Other here, so the tests that need it are skipped.")
    assert "apt.log" in complaint


def test_in_ci_what_is_missing_is_a_failure(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert programs.main() == 1
    (machine / "other").touch()
    assert programs.main() == 0


def test_other_users_are_shown_what_to_install(
    machine: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert programs.main() == 0
    first, second = capfd.readouterr().err.splitlines()
    assert first.endswith("As root: apt-get install there-is-one.")
    assert second.endswith("As root: apt-get install there-is-none.")
    assert not (machine / "calls").exists()


def test_with_everything_there_nothing_is_requested_or_said(
    machine: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (machine / "one").touch()
    (machine / "other").touch()
    assert programs.main() == 0
    assert capfd.readouterr() == ("", "")
    assert not (machine / "calls").exists()


def test_the_newest_postgres_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("9.6", "15", "17"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "initdb").touch()
    (tmp_path / "99" / "bin").mkdir(parents=True)
    monkeypatch.setattr(programs, "POSTGRES_VERSIONS", tmp_path)
    assert programs.find_postgres_folder() == tmp_path / "17" / "bin"
