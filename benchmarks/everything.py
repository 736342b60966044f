"""Every number that counts, beside a peer's, in one table.

    python -m benchmarks.everything [--repeats N] [--record]

Ours and the peer's run in turns; what is printed are medians, of seconds and of CPU seconds, which
are the steadier pair where other work runs on the machine. The last columns compare the CPU
seconds with those of the last `--record`, which are kept in `recorded.json` with the name of the
processor. The peer of prediction, training and growing is Debian's python3-vigra, with one thread
for each of ours; that of a command is the import of Prefect.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import h5py
import numpy as np

from benchmarks.engine import SYSTEM_PYTHON, VIGRA, prepare_case, project_of
from benchmarks.training import Cost, train_here, train_with_vigra
from ilpix.forest.stored import load_forest
from ilpix.images.hdf5 import write_image
from ilpix.prediction.classifier import Classifier

RECORDED = Path(__file__).with_name("recorded.json")
THREADS = 2
SMALL_PX = 300  # edge of the image that vigra predicts as well, in one thread


@dataclass(frozen=True)
class Row:
    """One thing that takes time, and a peer that does the same, if there is one."""

    name: str
    ours: Callable[[], Cost]
    peer_name: str = ""
    peer: Callable[[], Cost] | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--record", action="store_true", help="what is compared with later")
    arguments = parser.parse_args()
    recorded = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    last = recorded.get(processor(), {})
    print(f"{processor()}, medians of {arguments.repeats}\n")
    print("| | s | CPU s | peer | s | CPU s | peer / ours, CPU | recorded CPU s | now / recorded |")
    print("|---|---|---|---|---|---|---|---|---|")
    now = {}
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(Path(folder)):
            ours, peer = in_turns(row, arguments.repeats)
            now[row.name] = round(ours.cpu_seconds, 3)
            print(line(row, ours, peer, last.get(row.name)), flush=True)
    if arguments.record:
        RECORDED.write_text(json.dumps({**recorded, processor(): now}, indent=1) + "\n")


def rows(folder: Path) -> list[Row]:
    cases = {
        f"{n_channels} channels, {kind} forest, 1200² px": (n_channels, kind)
        for n_channels, kind in ((6, "shallow"), (6, "deep"), (40, "shallow"))
    }
    found = []
    for name, (n_channels, kind) in cases.items():
        case = folder / f"{n_channels}_{kind}"
        prepare_case(case, n_channels, kind)
        found.append(Row(f"predict {name}", predicting(case, THREADS)))
    small = cut_out(folder / "6_shallow", folder / "small")
    return [
        Row(
            f"predict 6 channels, {SMALL_PX}² px, 1 thread", predicting(small, 1), *vigra_of(small)
        ),
        *found,
        training("grow 20 trees of 1 000 px × 160", 1_000, 160, 20),
        training("grow 4 trees of 20 000 px × 252", 20_000, 252, 4),
        Row(
            "ilpix --help",
            lambda: command(sys.executable, "-m", "command", "--help"),
            "import prefect",
            lambda: command(sys.executable, "-c", "import prefect.flows"),
        ),
    ]


def predicting(case: Path, threads: int) -> Callable[[], Cost]:
    """File to file; the first call, which compiles, is not measured."""
    with h5py.File(case / "forest.h5", "r") as file:
        classifier = Classifier.of(project_of(load_forest(file["forests"])))

    def predict() -> None:
        classifier.predict_file(case / "image.h5", case / "probabilities.tiff", threads=threads)

    predict()
    return lambda: cost_of(predict, resource.RUSAGE_SELF)


def cut_out(case: Path, small: Path) -> Path:
    small.mkdir()
    image = np.load(case / "image.npy")[:, :SMALL_PX, :SMALL_PX]
    np.save(small / "image.npy", image)
    write_image(small / "image.h5", image, None)
    (small / "forest.h5").symlink_to(case / "forest.h5")
    return small


def vigra_of(case: Path) -> tuple[str, Callable[[], Cost]]:
    def predict() -> Cost:
        program = [SYSTEM_PYTHON, "-c", VIGRA, str(case), str(case / "forest.h5")]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        answer = subprocess.run(program, check=True, capture_output=True, text=True).stdout
        seconds = sum(json.loads(answer).values())  # without start, and without files
        return Cost(seconds, min(seconds, cpu_since(before, resource.RUSAGE_CHILDREN)))

    return "vigra", predict


def training(name: str, n_pixels: int, n_columns: int, n_trees: int) -> Row:
    """Noise of three classes."""
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((n_pixels, n_columns), dtype=np.float32)
    labels = rng.integers(1, 4, n_pixels).astype(np.uint8)
    train_here(samples, labels, 1, THREADS)
    return Row(
        name,
        lambda: train_here(samples, labels, n_trees, THREADS),
        "vigra learnRF",
        lambda: train_with_vigra(samples, labels, n_trees, THREADS),
    )


def command(*arguments: str) -> Cost:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def run() -> None:
        subprocess.run(arguments, check=True, capture_output=True, env=environment)

    return cost_of(run, resource.RUSAGE_CHILDREN)


def in_turns(row: Row, repeats: int) -> tuple[Cost, Cost | None]:
    turns = [(row.ours(), row.peer() if row.peer else None) for _ in range(repeats)]
    ours, peers = zip(*turns, strict=True)
    return middle(ours), middle(peers) if row.peer else None


def middle(costs: tuple[Cost, ...]) -> Cost:
    return Cost(median(c.seconds for c in costs), median(c.cpu_seconds for c in costs))


def line(row: Row, ours: Cost, peer: Cost | None, last: float | None) -> str:
    cells = [row.name, f"{ours.seconds:.2f}", f"{ours.cpu_seconds:.2f}", row.peer_name]
    if peer is None:
        cells += ["", "", ""]
    else:
        times = peer.cpu_seconds / ours.cpu_seconds
        cells += [f"{peer.seconds:.2f}", f"{peer.cpu_seconds:.2f}", f"{times:.1f}"]
    cells += ["", ""] if last is None else [f"{last:.2f}", f"{ours.cpu_seconds / last:.2f}"]
    return f"| {' | '.join(cells)} |"


def cost_of(work: Callable[[], None], whose: int) -> Cost:
    before, started = resource.getrusage(whose), perf_counter()
    work()
    return Cost(perf_counter() - started, cpu_since(before, whose))


def cpu_since(before: resource.struct_rusage, whose: int) -> float:
    after = resource.getrusage(whose)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    known = dict(entry.split(":", 1) for entry in lines if ":" in entry)
    fields = {name.strip(): value.strip() for name, value in known.items()}
    return f"{fields['model name']}, family {fields['cpu family']}, model {fields['model']}"


if __name__ == "__main__":
    main()
