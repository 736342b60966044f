"""The Dockerfiles and the compose file: what must hold in them wherever they are used."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.settings import Settings

CONTAINERS = Path(__file__).parents[2] / "containers"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The services by their names."""
    document: dict[str, Any] = yaml.safe_load((CONTAINERS / "compose.yaml").read_text())
    services: dict[str, Any] = document["services"]
    return services


def test_every_port_is_on_loopback(compose: dict[str, Any]) -> None:
    ports = [port for service in compose.values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:4200:4200"]


def test_worker_is_told_both_names_of_the_data_directory(compose: dict[str, Any]) -> None:
    worker = compose["worker"]
    inside, outside = worker["environment"]["ILPIX_CONTAINER__PATH_MAP"].split(":")
    assert outside == "${ILPIX_DATA}"
    assert any(
        re.match(r"\$\{ILPIX_DATA:\?[^}]*\}:" + inside + "$", volume)
        for volume in worker["volumes"]
    )


def test_every_setting_of_the_compose_file_exists(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in compose["worker"]["environment"].items():
        if name.startswith("ILPIX_"):
            monkeypatch.setenv(name, value.replace("${ILPIX_DATA}", "/srv/lab"))
    mapping = Settings().container.path_map
    assert [(m.inside, m.outside) for m in mapping] == [(Path("/data"), Path("/srv/lab"))]


def test_only_the_worker_holds_the_engines_socket(compose: dict[str, Any]) -> None:
    holders = [
        name for name, service in compose.items() if "docker.sock" in str(service.get("volumes"))
    ]
    assert holders == ["worker"]


def test_no_password_is_written_down(compose: dict[str, Any]) -> None:
    password = compose["database"]["environment"]["POSTGRES_PASSWORD"]
    assert password.startswith("${ILPIX_DATABASE_PASSWORD:?")


def test_the_worker_starts_when_its_work_pool_is_made(compose: dict[str, Any]) -> None:
    """A worker that finds no pool makes one of its own, without the settings of `deployments`."""
    script = compose["deploy"]["command"][-1].split()[0]
    assert (CONTAINERS.parent / script).is_file()
    assert compose["worker"]["depends_on"]["deploy"] == {
        "condition": "service_completed_successfully"
    }


@pytest.mark.parametrize("room", ["headless", "worker"])
def test_what_a_dockerfile_copies_is_there_and_not_ignored(room: str) -> None:
    copied = _copied(room)
    assert copied
    assert [path for path in copied if not (CONTAINERS.parent / path).exists()] == []
    ignored = (CONTAINERS.parent / ".dockerignore").read_text().splitlines()
    assert [path for path in copied if f"!{path.partition('/')[0]}" not in ignored] == []


def test_the_worker_gets_every_package() -> None:
    project = tomllib.loads((CONTAINERS.parent / "pyproject.toml").read_text())
    packages = project["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {package.removesuffix("*") for package in packages} <= set(_copied("worker"))


def _copied(room: str) -> list[str]:
    text = (CONTAINERS / room / "Dockerfile").read_text()
    lines = re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE)
    return [word for line in lines for word in line.split()[:-1] if word != "wheel[s]"]
