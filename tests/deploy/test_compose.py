"""The compose file and the image as Docker reads them, and the settings that they name."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from django.core.management import get_commands, load_command_class

from tests.support.processes import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose" / "compose.yaml"
SECRET = "a-secret-of-the-tests-0123456789abcdefghijklmnopqrstuvwxyz-ABCDEF"


def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return content


def settings_of_ours() -> set[str]:
    """Return the environment variables that voipbin_ws/settings.py reads."""
    tree = ast.parse((ROOT / "voipbin_ws" / "settings.py").read_text())
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "read"
        if isinstance(node.args[0], ast.Constant)
    }


def ours() -> dict[str, dict[str, Any]]:
    """Return the services that run the gateway's image."""
    return {name: each for name, each in compose()["services"].items() if each["image"] == "voipbin-ws"}


def variables_of(path: Path) -> dict[str, str]:
    lines = [
        line.removeprefix("#") for line in path.read_text().splitlines() if re.match(r"#?[A-Z_]+=", line)
    ]
    return dict(line.split("=", 1) for line in lines)  # type: ignore[misc]


def test_it_is_a_compose_file() -> None:
    # The reader knows no merge keys; a YAML parser does.
    read = PyCompose.from_json(json.dumps(compose()))
    read.validate()
    assert {"postgres", "redis", "gateway-1", "gateway-2", "proxy"} <= set(read.service_names())
    with pytest.raises(ValueError, match="read_onyl"):
        PyCompose.from_json(json.dumps(compose()).replace("read_only", "read_onyl"))


def test_every_setting_that_a_service_of_ours_gets_is_one() -> None:
    assert len(ours()) >= 5
    for name, service in ours().items():
        assert set(service["environment"]) <= settings_of_ours(), name
    assert set(variables_of(DEPLOY / "systemd" / "voipbin-ws.env")) <= settings_of_ours()


def test_every_variable_that_it_asks_for_is_in_the_example() -> None:
    requested = set(re.findall(r"\$\{([A-Z_]+)", COMPOSE.read_text()))
    assert requested == set(variables_of(DEPLOY / "compose" / ".env.example"))


def test_no_secret_has_a_default() -> None:
    defaults = re.findall(r"\$\{([A-Z_]+):?-([^}]+)\}", COMPOSE.read_text())
    assert defaults == []
    assert all(
        not value
        for name, value in variables_of(DEPLOY / "compose" / ".env.example").items()
        if name != "PUBLIC_URL"
    )


def test_what_is_mounted_is_there() -> None:
    mounts = [each.split(":")[0] for each in compose()["services"]["proxy"]["volumes"]]
    assert [each for each in mounts if not (COMPOSE.parent / each).exists()] == ["./tls"]


def test_the_services_run_commands_that_there_are() -> None:
    started: dict[str, list[str]] = {}
    for name, service in ours().items():
        line = shlex.join(service.get("command", []))
        for command, options in re.findall(r"python manage\.py (\w+)([^'&]*)", line):
            parser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)
            parser.parse_args(shlex.split(options))
            started.setdefault(name, []).append(command)
    assert started == {
        "migrate": ["migrate"],
        "amqp": ["consume_amqp"],
        "prune": ["prune_events", "prune_audit"],
        "verify": ["verify_audit"],
    }


def test_the_head_of_the_audit_log_is_kept_where_each_service_of_ours_reads_it() -> None:
    """Without a volume each run would begin without the head of the run before."""
    services = ours()
    assert shlex.join(services["verify"]["command"]).endswith("verify_audit --remember")
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    for name, service in services.items():
        folder = str(Path(service["environment"]["AUDIT_HEAD_FILE"]).parent)
        mounts = dict(each.split(":") for each in service["volumes"])
        [volume] = [volume for volume, target in mounts.items() if target == folder]
        assert volume in compose()["volumes"], name
        assert re.search(rf"install -d -o 10001 .*{folder}$", dockerfile, re.MULTILINE)


def test_the_proxy_asks_the_gateways_where_they_listen() -> None:
    upstream = (DEPLOY / "compose" / "upstream.conf").read_text()
    servers = dict(re.findall(r"server ([a-z0-9-]+):(\d+)", upstream))
    assert set(servers) == {name for name in compose()["services"] if name.startswith("gateway-")}
    (serve,) = re.findall(r"^CMD (\[.*\])$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    words = json.loads(serve)
    assert words[:3] == ["python", "manage.py", "serve"]
    assert {words[words.index("--port") + 1]} == set(servers.values())


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the Dockerfile copies, and nothing else."""
    folder = tmp_path_factory.mktemp("image")
    copied = re.findall(r"^COPY (\S+) (\S+)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    let_in = {line.removeprefix("!") for line in _lines(DEPLOY / "Dockerfile.dockerignore") if line[0] == "!"}
    assert {source for source, _ in copied} == let_in
    for source, target in copied:
        place = folder / (source if target == "." else target)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / source, place)
    (folder / "var" / "static").mkdir(parents=True)
    return folder


def environment_of_compose() -> dict[str, str]:
    values = {"PUBLIC_URL": "https://ws.example.com", "SECRET_KEY": SECRET}
    return {
        name: re.sub(r"\$\{([A-Z_]+)[^}]*\}", lambda found: values.get(found[1], "0123abcd"), value)
        for name, value in compose()["services"]["amqp"]["environment"].items()
    }


def environment_of_systemd() -> dict[str, str]:
    return variables_of(DEPLOY / "systemd" / "voipbin-ws.env") | {"SECRET_KEY": SECRET}


@pytest.mark.parametrize("environment", [environment_of_compose, environment_of_systemd])
def test_what_the_image_holds_is_enough_and_the_documented_environment_leaves_nothing_to_say(
    image: Path, environment: Callable[[], dict[str, str]]
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        capture_output=True,
        text=True,
        cwd=image,
        env={"PATH": os.environ["PATH"], **environment()},
    )
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout + done.stderr
    assert not list(image.glob("var/*key*")), "it kept a secret of its own, which the next container has not"


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
