"""What Prefect costs: per image, for unchanged images, and for one command from start to end.

    python -m benchmarks.orchestration

A server of its own is started for it. What is compared was measured one after the other; times are
medians of three, with processes and Dask single ones. `--commands` measures the commands alone.
"""

import argparse
import os
import shutil
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

from benchmarks.costs import REPOSITORY, ProgramFailedError

PROGRAMS = Path(sys.executable).parent
N_TINY, N_UNCHANGED, REPEATS = 200, 1000, 3
STUDIES = (1, 2, 3)  # seeds of the synthetic tissue: five regions each
CROPPING = {"cropsize": 100, "seed": 1}
PANEL = "channel,name,keep,ilastik\n0,DNA1,1,1\n1,CD45,1,2\n"

TRIVIAL = """
from prefect import flow
@flow
def nothing(): pass
nothing()
"""

# `ilpix` with a clock at its stations; what there is to time is known when the imports are done
TIMELINE = """
import functools, gc, sys, time
begun = float(sys.argv.pop(1))

def tell(station):
    print(f"{station}={time.time() - begun:.2f}", file=sys.stderr)

def time_end(owner, name, station):
    work = getattr(owner, name)
    @functools.wraps(work)
    def timed(*args, **kwargs):
        try:
            return work(*args, **kwargs)
        finally:
            tell(station)
    setattr(owner, name, timed)

def imports_are_done():
    gc.freeze = freeze
    freeze()
    tell("imported")
    import flows.running.verb_run, tasks.engines
    run = sys.modules["flows.run"]
    time_end(run, "take_classifier", "project read")
    time_end(tasks.engines.EmbeddedEngine, "predict", "image")
    time_end(run, "write_report", "previews written")
    time_end(run, "show_predicted", "artifacts sent")

from command import __main__ as program, server
time_end(server.TemporaryServer, "wait", "server ready")
time_end(server.TemporaryServer, "stop", "server stopped")
freeze, gc.freeze = gc.freeze, imports_are_done
try:
    program.main()
finally:
    tell("flow ended")
"""
STATIONS = (
    "imported",
    "server ready",
    "project read",
    "first image",
    "last image",
    "previews written",
    "artifacts sent",
    "flow ended",
    "server stopped",
    "process ended",
)

# runs in a process of its own, whose settings name the server
PER_IMAGE = """
import shutil, sys, time
from pathlib import Path
from flows import PrepareOptions
from flows.running import verb_run
from flows.running.quiet import quiet_prefect
from flows.settings import Settings
from flows.running.verb_run import VerbRun
from ilpix.images.hdf5 import ImageRecord, write_image
from ilpix.sources.tiff import find_images, read_image
from ilpix.images.panel import read_panel
from ilpix.images.preparation import channel_names, prepare_image
from ilpix.images.preparation_options import PreparationOptions
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
            "source": source, "index": 0, "target": folder / "out" / f"{source.stem}.h5",
            "panel": folder / "panel.csv", "options": options.preparation,
            "reading": options.reading,
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commands", action="store_true", help="measure the commands alone")
    commands_alone = parser.parse_args().commands
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {
            **os.environ,
            "PREFECT_HOME": str(folder / "home"),
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }
        for variable in ("PREFECT_API_URL", "PYTHONDONTWRITEBYTECODE"):
            environment.pop(variable, None)
        classified = trained_folder(folder / "small", environment)
        with server(folder, environment) as beside:
            if not commands_alone:
                report_unchanged(folder)
                report_images(folder, beside)
            report_command(classified, environment, beside)
            report_timeline(classified, environment, beside)


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
    run: list[str | Path] = ["python", "-m", "command", "run", "-C", folder]
    commands: dict[str, tuple[list[str | Path], dict[str, str]]] = {
        "import prefect": (["python", "-c", "import prefect"], environment),
        "import command.cli": (["python", "-c", "import command.cli"], environment),
        "empty flow, Prefect's temporary server": (["python", "-c", TRIVIAL], environment),
        "ilpix run, temporary server": ([*run, "--refresh"], environment),
        "ilpix run, temporary server, nothing to do": (run, environment),
        "empty flow, beside a server": (["python", "-c", TRIVIAL], beside),
        "ilpix run, beside a server": ([*run, "--refresh"], beside),
        "ilpix run, beside a server, nothing to do": (run, beside),
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    loads: list[float] = []
    for _ in range(REPEATS):
        for name, (command, where) in commands.items():
            loads.append(os.getloadavg()[0])
            times[name].append(seconds(lambda c=command, w=where: output(c, w)))
    n_images = len(list((folder / "ilastik_img").iterdir()))
    print(f"| {n_images} images, load {min(loads):.1f} to {max(loads):.1f} | s | fastest |")
    print("|---|---|---|")
    for name, measured in times.items():
        print(f"| {name} | {statistics.median(measured):.1f} | {min(measured):.1f} |")
    print()


def report_timeline(folder: Path, environment: dict[str, str], beside: dict[str, str]) -> None:
    """Print when a run passes its stations."""
    passed = [timeline(folder, where) for where in (environment, beside)]
    print("| s after the start | temporary server | beside a server |\n|---|---|---|")
    for station in STATIONS:
        cells = [f"{times[station]:.1f}" if station in times else "" for times in passed]
        print(f"| {station} | " + " | ".join(cells) + " |")


def timeline(folder: Path, environment: dict[str, str]) -> dict[str, float]:
    """Return when each station of one run was passed, in seconds."""
    begun = time.time()
    words = ["-c", TIMELINE, str(begun), "run", "-C", folder, "--refresh", "--quiet"]
    done = subprocess.run(
        [PROGRAMS / "python", *words],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    ended = time.time() - begun
    pairs = [line.split("=") for line in done.stderr.splitlines() if line.count("=") == 1]
    images = [float(value) for station, value in pairs if station == "image"]
    found = {"first image": min(images), "last image": max(images), "process ended": ended}
    first = reversed(pairs)  # a station that is passed again, at the end of the process
    return found | {station: float(value) for station, value in first if station in STATIONS}


def trained_folder(folder: Path, environment: dict[str, str]) -> Path:
    """Return a folder with small prepared images of synthetic tissue and a trained project."""
    # Prefect is imported with its home set
    from command.demo import write_labels_of_a_person  # noqa: PLC0415
    from flows.options import PrepareOptions  # noqa: PLC0415
    from ilpix.example import write_example  # noqa: PLC0415

    for seed in STUDIES:
        study = folder.with_name(f"study_{seed}")
        write_example(study, seed)
        for path in study.glob("*/*.tiff"):
            target = folder / path.parent.name / f"{study.name}_{path.name}"
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
        shutil.copy(study / "panel.csv", folder)
    program: list[str | Path] = ["python", "-m", "command"]
    flags = [word for name, value in CROPPING.items() for word in (f"--{name}", str(value))]
    output([*program, "prepare", "-C", folder, *flags], environment)
    write_labels_of_a_person(folder, PrepareOptions(**CROPPING))
    output([*program, "train", "-C", folder, "--labels", "labels", "--no-quality"], environment)
    output([*program, "run", "-C", folder], environment)  # the first one compiles
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
        raise ProgramFailedError(done.stdout + done.stderr)
    return done.stdout


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
