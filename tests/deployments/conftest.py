"""A real server and a real worker with a home of their own, started once for this folder."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import httpx
import pytest

from ilpix.example import write_example

REPOSITORY = Path(__file__).parents[2]
DEPLOYMENTS = REPOSITORY / "deployments"
PROGRAMS = Path(sys.executable).parent
DEADLINE_S = 300  # for whatever a server, worker or run is waited for; a busy machine is slow
PREPARING = {"cropsize": 100, "seed": 1}  # as in the demo
T = TypeVar("T")
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


def wait_until(look: Callable[[], T | None], what: str, deadline_s: float = DEADLINE_S) -> T:
    """Return the first true value; an error where it does not come in time."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        if value := look():
            return value
        time.sleep(0.3)
    raise TimeoutError(what)


@dataclass(frozen=True)
class Server:
    """A Prefect server, spoken to as any program would."""

    address: str
    environment: dict[str, str]  # for programs that work with it
    hook: str  # where it tells of failures
    told: list[str]  # what it told there

    def call(self, method: str, path: str, **body: Any) -> httpx.Response:
        """Call its API; like Prefect's own client again where it or its database was busy.

        What changes something is waited for instead: who knows whether it was done.
        """
        changes_nothing = method == "GET" or path.endswith("/filter")

        def answer() -> httpx.Response | None:
            address, patience_s = f"{self.address}/api{path}", 30 if changes_nothing else DEADLINE_S
            try:
                response = httpx.request(method, address, json=body or None, timeout=patience_s)
            except httpx.TransportError:
                if changes_nothing:
                    return None
                raise
            return None if response.status_code == 503 else response

        return wait_until(answer, f"the server is busy: {path}")

    def filter(self, what: str, **body: Any) -> list[dict[str, Any]]:
        """Return what a filter of its API finds."""
        return list(self.call("POST", f"/{what}/filter", **body).json())

    def command(self, *command: str | Path) -> str:
        """Run a command beside it in the repository; return what it printed."""
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def deployment(self, name: str) -> dict[str, Any]:
        """Return a deployment, named `flow/deployment`."""
        return dict(self.call("GET", f"/deployments/name/{name}").json())

    def ask(self, name: str, parameters: dict[str, Any], at: str | None = None) -> httpx.Response:
        """Ask for a run of a deployment, now or later."""
        path = f"/deployments/{self.deployment(name)['id']}/create_flow_run"
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": at}}
        return self.call("POST", path, parameters=parameters, state=state)

    def start(self, name: str, parameters: dict[str, Any]) -> str:
        """Start a run of a deployment; return its id."""
        answer = self.ask(name, parameters)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def resume(self, run: str, answer: dict[str, Any]) -> httpx.Response:
        """Answer the form of a suspended run."""
        return self.call("POST", f"/flow_runs/{run}/resume", run_input=answer)

    def wait_for_end(self, run: str, answered: str | None = None) -> str:
        """Return the type of state in which a run ends, or waits on a form not answered yet."""

        def look() -> str | None:
            state = self.call("GET", f"/flow_runs/{run}").json()["state"]
            waits = state["type"] == "PAUSED" and state["state_details"]["pause_key"] != answered
            return str(state["type"]) if waits or state["type"] in ENDED else None

        return wait_until(look, f"run {run} does not end")

    def artifacts(self, runs: list[str]) -> dict[str, dict[str, Any]]:
        """Return the artifacts of runs on a folder `tissue…`, by the kind in their key."""
        found = self.filter("artifacts", artifacts={"flow_run_id": {"any_": runs}})
        return {artifact["key"].partition("-tissue")[0]: artifact for artifact in found}

    def subflows(self, run: str) -> list[dict[str, Any]]:
        """Return the runs that a run started."""
        return self.filter("flow_runs", flow_runs={"parent_flow_run_id": {"any_": [run]}})

    def task_states(self, runs: list[str]) -> dict[str, str]:
        """Return the name of the last state of each task run, by its name."""
        found = self.filter("task_runs", task_runs={"flow_run_id": {"any_": runs}})
        return {task["name"]: task["state_name"] for task in found}


@contextmanager
def running(command: list[str | Path], environment: dict[str, str], log: Path) -> Iterator[None]:
    """Keep a program running; it is stopped at the end, with what it started."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def listening(told: list[str]) -> Iterator[str]:
    """Listen for notifications, as a chat room would."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A fresh server with all that `deployments` puts on it, and a worker."""
    home = tmp_path_factory.mktemp("prefect")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    environment = {
        **own,
        "PATH": f"{PROGRAMS}{os.pathsep}{own['PATH']}",
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"{address}/api",
        "PREFECT_WORKER_QUERY_SECONDS": "1",
        "DO_NOT_TRACK": "1",
    }
    start = [PROGRAMS / "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    work = [PROGRAMS / "prefect", "worker", "start", "--pool", "ilpix-process"]
    told: list[str] = []
    with listening(told) as hook, running(start, environment, home / "server.log"):
        wait_until(lambda: _is_up(address), (home / "server.log").read_text())
        fresh = Server(address, environment, hook, told)
        fresh.command(DEPLOYMENTS / "create_pools.sh", "process", "docker", "kubernetes")
        fresh.command(
            *("prefect", "--no-prompt", "deploy", "--all"),
            *("--prefect-file", DEPLOYMENTS / "prefect.yaml"),
        )
        fresh.command("python", DEPLOYMENTS / "create_automations.py", hook)
        with running(work, environment, home / "worker.log"):
            yield fresh


@pytest.fixture(scope="package")
def classified(server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder that was prepared, suspended for training and finished; and the run that did it."""
    folder = tmp_path_factory.mktemp("tissue")
    write_example(folder)
    prepared = server.start("prepare/prepare", {"data_dir": str(folder), "options": PREPARING})
    assert server.wait_for_end(prepared) == "COMPLETED"
    parameters = {
        "data_dir": str(folder),
        "preparing": PREPARING,
        "predicting": {"engine": "embedded"},
    }
    run = server.start("classify/classify", parameters)
    assert server.wait_for_end(run) == "PAUSED"
    assert not (folder / "ilastik_probabilities").exists()

    refused = server.resume(run, {"next_step": "hope"})
    assert refused.json()["status"] == "REJECT"
    server.resume(run, {"next_step": "predict with the project of this run"})
    assert server.wait_for_end(run, answered="training-1") == "PAUSED"  # nobody has trained yet
    told = server.call("GET", f"/flow_runs/{run}/input/suspended-training-2-description").text
    assert "did not work" in told
    assert "pixel_classifier.ilp" in told

    server.command("python", "-m", "tests.deployments.person", folder)
    server.resume(run, {"next_step": "predict with the project of this run"})
    assert server.wait_for_end(run, answered="training-2") == "COMPLETED"
    return folder, run


def _is_up(address: str) -> bool:
    try:
        return httpx.get(f"{address}/api/health", timeout=5).is_success
    except httpx.TransportError:
        return False
