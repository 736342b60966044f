"""What Prefect costs: per image, for unchanged images, and for one command from start to end.

    python benchmarks/orchestration.py

A server of its own is started for it. What is compared was measured one after the other; times are
medians of three, with processes and Dask single ones.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tifffile

REPOSITORY = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent
N_TINY, N_SMALL, N_UNCHANGED, REPEATS = 200, 15, 1000, 3
PANEL = "channel,name,keep,ilastik\n0,DNA1,1,1\n1,CD45,1,2\n"

TRIVIAL = """
from prefect import flow
@flow
def nothing(): pass
nothing()
"""

# runs in a process of its own, whose settings name the server
PER_IMAGE = """
import shutil, sys, time
from pathlib import Path
from flows import PrepareOptions, verb_run
from flows.quiet_prefect import quiet_prefect
from flows.settings import Settings
from flows.verb_run import VerbRun
from ilpix.hdf5 import ImageRecord, write_image
from ilpix.images import find_images, read_image
from ilpix.panel import read_panel
from ilpix.preparation import PreparationOptions, channel_names, prepare_image
folder, options = Path(sys.argv[1]), PrepareOptions(cropsize=8, seed=1)
verb_run.SINGLY = int(sys.argv[2])
shutil.rmtree(folder / ".ilpix", ignore_errors=True)

def plain():
    panel = read_panel(folder / "panel.csv")
    record = ImageRecord(
        channel_names=channel_names(panel, options.preparation), preparation=options.preparation
    )
    (folder / "plain").mkdir(exist_ok=True)
    for source in find_images(folder / "img"):
        prepared = prepare_image(read_image(source), panel, options.preparation)
        write_image(folder / "plain" / f"{source.stem}.h5", prepared, record)

def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started

from tasks.preparing import prepare_image as task
from prefect import flow

@flow
def orchestrated():
    run = VerbRun("prepare", folder, Settings())
    sources = find_images(folder / "img")
    run.for_each_image(task, {
        source.stem: {
            "source": source, "target": folder / "out" / f"{source.stem}.h5",
            "panel": folder / "panel.csv", "options": options.preparation,
        } for source in sources
    })

plain()
with quiet_prefect():
    orchestrated()  # the first submission starts threads and event queues
    for path in (folder / "out").iterdir():
        path.unlink()
    print(timed(plain), timed(orchestrated), timed(orchestrated))
"""


def main() -> None:
    """Measure and print a table of each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {
            **os.environ,
            "PREFECT_HOME": str(folder / "home"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }
        environment.pop("PREFECT_API_URL", None)
        report_unchanged(folder)
        classified = trained_folder(folder / "small", environment)
        with server(folder, environment) as beside:
            report_images(folder, beside)
            report_command(classified, environment, beside)


def report_unchanged(folder: Path) -> None:
    """Print how long unchanged files take to be recognised."""
    from tasks.digests import DigestMemo  # noqa: PLC0415 - Prefect is imported with its home set

    images = folder / "unchanged"
    images.mkdir()
    for number in range(N_UNCHANGED):
        path = images / f"{number}.bin"
        path.write_bytes(os.urandom(2**20))
        os.utime(path, (1e9, 1e9))
    memo = DigestMemo(folder / "digests")

    def digest_all() -> None:
        for path in images.iterdir():
            memo.digest(path)

    first = seconds(digest_all)
    again = statistics.median(seconds(digest_all) for _ in range(REPEATS))
    print(f"| {N_UNCHANGED} files of 1 MiB | s |\n|---|---|")
    print(f"| first time | {first:.2f} |\n| unchanged | {again:.2f} |\n")


def report_images(folder: Path, beside: dict[str, str]) -> None:
    """Print what a tiny image costs, in a plain loop and as a task, on each task runner."""
    images = folder / "tiny"
    write_images(images, N_TINY, 16)
    print(f"| ms for each of {N_TINY} images of 16 x 16 px | plain loop | flow | nothing to do |")
    print("|---|---|---|---|")
    for name, singly, runner in (
        ("threads, a task each", 1000, "threads"),
        ("threads, chunks of 64", 0, "threads"),
        ("processes, a task each", 1000, "processes"),
        ("processes, chunks of 64", 0, "processes"),
        ("dask, a task each", 1000, "dask"),
        ("dask, chunks of 64", 0, "dask"),
    ):
        command = ["python", "-c", PER_IMAGE, images, str(singly)]
        where = {**beside, "ILPIX_TASK_RUNNER": runner}
        repeats = REPEATS if runner == "threads" else 1  # the others take a minute and more
        runs = [output(command, where).split()[-3:] for _ in range(repeats)]
        times = [
            1000 / N_TINY * statistics.median(map(float, column))
            for column in zip(*runs, strict=True)
        ]
        print(f"| {name} | " + " | ".join(f"{value:.1f}" for value in times) + " |", flush=True)
    print()


def report_command(folder: Path, environment: dict[str, str], beside: dict[str, str]) -> None:
    """Print how long `ilpix run` takes in all, and what of that is Prefect's start."""
    commands: dict[str, tuple[list[str | Path], dict[str, str]]] = {
        "import prefect": (["python", "-c", "import prefect"], environment),
        "import flows.cli": (["python", "-c", "import flows.cli"], environment),
        "empty flow, temporary server": (["python", "-c", TRIVIAL], environment),
        "ilpix run, temporary server": (["ilpix", "run", "-C", folder, "--refresh"], environment),
        "empty flow, beside a server": (["python", "-c", TRIVIAL], beside),
        "ilpix run, beside a server": (["ilpix", "run", "-C", folder, "--refresh"], beside),
        "ilpix run, nothing to do": (["ilpix", "run", "-C", folder], beside),
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(REPEATS):
        for name, (command, where) in commands.items():
            times[name].append(seconds(lambda c=command, w=where: output(c, w)))
    print(f"| {N_SMALL} images of 200 x 200 px, 2 channels | s |\n|---|---|")
    for name, measured in times.items():
        print(f"| {name} | {statistics.median(measured):.1f} |")


def trained_folder(folder: Path, environment: dict[str, str]) -> Path:
    """Return a folder with small prepared images and a trained project."""
    write_images(folder, N_SMALL, 100)
    output(["ilpix", "prepare", "-C", folder, "--cropsize", "64", "--seed", "1"], environment)
    labels = folder / "labels"
    labels.mkdir()
    strokes = np.zeros((64, 64), np.uint8)
    strokes[::8, :20], strokes[::8, 22:42], strokes[::8, 44:] = 1, 2, 3
    for crop in (folder / "ilastik_crops").glob("*.h5"):
        tifffile.imwrite(labels / f"{crop.stem}.tiff", strokes)
    output(["ilpix", "train", "-C", folder, "--labels", "labels", "--no-quality"], environment)
    return folder


def write_images(folder: Path, n_images: int, side: int) -> None:
    """Write images of noise and a panel."""
    rng = np.random.default_rng(1)
    (folder / "img").mkdir(parents=True)
    (folder / "panel.csv").write_text(PANEL)
    for number in range(n_images):
        image = rng.poisson(3, (2, side, side)).astype(np.uint16)
        tifffile.imwrite(folder / "img" / f"image_{number}.tiff", image, photometric="minisblack")


@contextmanager
def server(folder: Path, environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """Start a server; yield the environment of those beside it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [PROGRAMS / "prefect", "server", "start", "--host", "127.0.0.1", "--port", port]
    beside = {**environment, "PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
    own = {**environment, "PREFECT_HOME": str(folder / "server")}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=REPOSITORY, env=own, stdout=log, stderr=log)
        try:
            wait_for(port)
            yield beside
        finally:
            process.terminate()
            process.wait(timeout=60)


def wait_for(port: str, deadline_s: float = 120) -> None:
    """Return when a server listens on a port."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(port))) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError(port)


def output(command: list[str | Path], environment: dict[str, str]) -> str:
    """Run one of this Python's programs in the repository; return what it printed."""
    program = [PROGRAMS / command[0], *command[1:]]
    done = subprocess.run(
        program, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return done.stdout


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
