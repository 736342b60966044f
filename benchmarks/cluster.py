"""What jobs of SLURM cost per image, beside threads of the machine that submits.

    export SLURM_CONF=$(.ci/slurm start FOLDER)
    python -m benchmarks.cluster

The node is this machine, so a job of one core computes as one thread does, and what is more is the
cost of the cluster. A server of its own is started for it. Numbers are medians of three.
"""

import json
import os
import shutil
import statistics
import tempfile
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.orchestration import output, server, trained_folder

COPIES, REPEATS = 4, 3
JOB = {
    "ILPIX_CLUSTER__CORES": "1",
    "ILPIX_CLUSTER__MEMORY": "1GiB",
    "ILPIX_CLUSTER__HOST": "127.0.0.1",
}


class Cost(NamedTuple):
    """What one run took."""

    whole_s: float
    first_s: float  # from the begin of the run to the first image
    each_ms: float  # from one image to the next, after the first


def main() -> None:
    """Print the table of the README."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        environment = {**os.environ, "PREFECT_HOME": str(root / "home")}
        folder = trained_folder(root / "tissue", environment)
        for image in list((folder / "ilastik_img").iterdir()):
            for number in range(1, COPIES):
                shutil.copy(image, image.with_stem(f"{image.stem}_{number}"))
        with server(root, environment) as beside:
            report(folder, beside)


def report(folder: Path, beside: dict[str, str]) -> None:
    """Print a row for threads and one for jobs, for one and for two at the same time."""
    n_images = len(list((folder / "ilastik_img").iterdir()))
    print(
        f"| {n_images} images | whole run s | first image after s | then ms each | jobs / threads |"
    )
    print("|---|---|---|---|---|", flush=True)
    for n, ending in ((1, ""), (2, "s")):
        threads = {"ILPIX_PARALLEL": str(n), "ILPIX_THREADS": "1"}
        jobs = {**JOB, "ILPIX_TASK_RUNNER": "slurm", "ILPIX_CLUSTER__MAX_JOBS": str(n)}
        peer = measured(folder, {**beside, **threads})
        ours = measured(folder, {**beside, **jobs})
        print(f"| {n} thread{ending} | {row(peer)} | |")
        ratio = ours.each_ms / peer.each_ms
        print(f"| {n} job{ending} | {row(ours)} | {ratio:.2f} |", flush=True)


def row(cost: Cost) -> str:
    return f"{cost.whole_s:.1f} | {cost.first_s:.1f} | {cost.each_ms:.0f}"


def measured(folder: Path, environment: dict[str, str]) -> Cost:
    """Return the medians of several runs."""
    runs = [one_run(folder, environment) for _ in range(REPEATS)]
    return Cost(*(statistics.median(column) for column in zip(*runs, strict=True)))


def one_run(folder: Path, environment: dict[str, str]) -> Cost:
    """Predict all images again, and read the times from the manifest and the files."""
    output(["python", "-m", "command", "run", "-C", folder, "--refresh", "--quiet"], environment)
    record = json.loads((folder / "ilpix_run.json").read_text())["verbs"]["run"]
    started = datetime.fromisoformat(record["started"]).timestamp()
    ended = sorted(path.stat().st_mtime for path in (folder / "ilastik_probabilities").iterdir())
    each_s = (ended[-1] - ended[0]) / (len(ended) - 1)
    return Cost(record["seconds"], ended[0] - started, 1000 * each_s)


if __name__ == "__main__":
    main()
