"""A compute node with a network of its own: what has to pass, and what need not."""

import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL

from flows.options import RunOptions
from flows.run import run
from flows.running.cluster_errors import CannotListenError, NodeOutOfReachError
from tests.containers.conftest import skip_or_fail

LOGIN, NODE = "203.0.113.1", "203.0.113.2"  # a range for documentation, nobody's

pytestmark = pytest.mark.slurm


@dataclass(frozen=True)
class Node:
    """A network namespace, tied to this machine by one cable."""

    name: str

    def forbid(self, *rule: str) -> None:
        """Add a rule to the firewall of the node."""
        ip("netns", "exec", self.name, "iptables", "--append", *rule)


def ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        skip_or_fail(f"no network namespaces here: {done.stderr}")


@pytest.fixture
def node(
    folder: Path, small_jobs: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Node]:
    """Jobs run in a node that sees this machine at one address, and nothing of its loopback."""
    unique = secrets.token_hex(4)
    node, cable, plug = Node(f"ilpix-{unique}"), f"ix{unique}a", f"ix{unique}b"
    ip("netns", "add", node.name)
    try:
        ip("link", "add", cable, "type", "veth", "peer", "name", plug, "netns", node.name)
        ip("address", "add", f"{LOGIN}/30", "dev", cable)
        ip("link", "set", cable, "up")
        ip("-netns", node.name, "address", "add", f"{NODE}/30", "dev", plug)
        ip("-netns", node.name, "link", "set", plug, "up")
        ip("-netns", node.name, "link", "set", "lo", "up")
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nexec ip netns exec {node.name} {sys.executable} "$@"\n')
        python.chmod(0o755)
        monkeypatch.setenv("ILPIX_CLUSTER__PYTHON", str(python))
        monkeypatch.setenv("ILPIX_CLUSTER__HOST", LOGIN)
        yield node
    finally:
        for item in (("link", "delete", cable), ("netns", "delete", node.name)):
            subprocess.run(["ip", *item], check=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def test_one_address_and_one_port_are_enough_and_the_server_is_not_needed(
    node: Node, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packets to Prefect's server vanish, as behind a firewall; there is no way to the internet.

    A job without one named itself by an address of the wrong network, and its results were asked
    for there for ever.
    """
    port, server = free_port(), PREFECT_API_URL.value().split(":")[-1].partition("/")[0]
    node.forbid("OUTPUT", "-p", "tcp", "--dport", server, "-j", "DROP")
    node.forbid(
        "OUTPUT", "-d", LOGIN, "-p", "tcp", "--syn", "!", "--dport", str(port), "-j", "DROP"
    )
    monkeypatch.setenv("ILPIX_CLUSTER__PORT", str(port))
    shutil.copytree(folder, tmp_path / "threads")
    found = {path.name: path.read_bytes() for path in run(folder, RunOptions())}
    monkeypatch.setenv("ILPIX_TASK_RUNNER", "threads")
    expected = {path.name: path.read_bytes() for path in run(tmp_path / "threads", RunOptions())}
    assert found == expected


def test_a_node_that_cannot_be_called_back_ends_the_run(node: Node, folder: Path) -> None:
    """Dask asked for its results for ever."""
    node.forbid("INPUT", "-p", "tcp", "--syn", "-j", "REJECT")
    with pytest.raises(NodeOutOfReachError, match=NODE):
        run(folder, RunOptions())


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("HOST", "198.51.100.7", "198.51.100.7:0: Cannot assign requested address"),
        ("HOST", "no.such.host.invalid", "no.such.host.invalid:0"),
        ("PORT", "taken", "Address already in use"),
        ("INTERFACE", "ib7", "no such network interface, only lo"),
    ],
)
def test_where_this_machine_cannot_listen_is_said_before_any_image(
    folder: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, says: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        monkeypatch.setenv(f"ILPIX_CLUSTER__{setting}", value.replace("taken", port))
        with pytest.raises(CannotListenError, match=says):
            run(folder, RunOptions())
    assert not (folder / "ilastik_probabilities").exists()
