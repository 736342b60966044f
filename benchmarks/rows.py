"""All rows of the table: what is measured, and beside what."""

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.bench import Bench, Row
from benchmarks.costs import Cost, Work, program_cost, told_cost
from benchmarks.kernel_rows import engine_rows, training_rows
from benchmarks.orchestration import trained_folder
from benchmarks.preparing_rows import preparing_rows
from benchmarks.studies import ILPIX, Environment, large_study, tiny_study
from containers.command import PreparedInput, ilastik_arguments
from ilpix.data_directory import PREPARED, PROBABILITIES, PROJECT, REPORT, WORKSPACE
from ilpix.images.hdf5 import find_prepared

IMPORT_PREFECT = "import prefect"
N_TINY = 2000
WRONG_USAGE = 2  # exit code
LOOP = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from benchmarks.costs import own_cost, peak_mb
from ilpix.images.hdf5 import find_prepared
from ilpix.prediction.classifier import Classifier
from ilpix.project.reading import read_project
folder, out = Path(sys.argv[1]), Path(sys.argv[2])
out.mkdir(exist_ok=True)
def predict_all():
    classifier = Classifier.of(read_project(folder / "pixel_classifier.ilp"))
    for image in find_prepared(folder / "ilastik_img"):
        classifier.predict_file(image, out / f"{image.stem}.tiff", threads=1)
cost = own_cost(predict_all)
print(json.dumps({**asdict(cost), "peak_mb": peak_mb()}))
"""


def all_rows(bench: Bench) -> list[Row]:
    """Return every row, the slow ones last."""
    return [
        *command_rows(bench),
        *engine_rows(bench),
        *training_rows(bench),
        *preparing_rows(bench),
        *many_image_rows(bench),
    ]


def command_rows(bench: Bench) -> Iterator[Row]:
    """What a person waits for at a terminal."""
    four = "ilpix run, 4 images of 1200² px × 4"
    nothing = "ilpix run, nothing to do, 15 images"

    def importing() -> Cost:
        return program_cost([sys.executable, "-c", "import prefect.flows"], bench.environment)

    def row(name: str, environment: str, study: Callable[[], Path], *words: str | Path) -> Row:
        def prepare() -> tuple[Work, Work]:
            folder, where = study(), getattr(bench, environment)
            return partial(program_cost, [*ILPIX, *words, "-C", folder], where), importing

        return Row(name, prepare, IMPORT_PREFECT)

    def usage(*words: str, exit_code: int = 0) -> tuple[Work, Work]:
        return partial(
            program_cost, [*ILPIX, *words], bench.environment, exit_code=exit_code
        ), importing

    yield Row("ilpix --help", lambda: usage("--help"), IMPORT_PREFECT)
    wrong = partial(usage, "run", "--foo", exit_code=WRONG_USAGE)
    yield Row("ilpix run --foo: wrong usage", wrong, IMPORT_PREFECT)
    new, again = (bench, "four", large_study), (bench, "fifteen", trained_folder)
    yield row(f"{four}, temporary server", "environment", partial(made, *new), "run", "--refresh")
    yield row(f"{four}, beside a server", "beside", partial(made, *new), "run", "--refresh")
    yield row(f"{nothing}, temporary server", "environment", partial(made, *again), "run")
    yield row(f"{nothing}, beside a server", "beside", partial(made, *again), "run")
    if bench.ilastik:
        yield Row(f"{four}, temporary server, Ilastik", partial(beside_ilastik, bench), "Ilastik")


def beside_ilastik(bench: Bench) -> tuple[Work, Work]:
    folder = made(bench, "four", large_study)
    inputs = [PreparedInput(path, "img", "cyx", 0, 0) for path in find_prepared(folder / PREPARED)]
    links, out = bench.folder / "of_ilastik", bench.folder / "by_ilastik"
    links.mkdir()
    for index, item in enumerate(inputs):
        (links / f"{index:04d}.h5").symlink_to(item.source)
    words = ilastik_arguments(str(folder / PROJECT), str(links), inputs, str(out))
    theirs = partial(program_cost, [bench.ilastik, *words], bench.environment)
    ours = [*ILPIX, "run", "--refresh", "-C", folder]
    return partial(program_cost, ours, bench.environment), theirs


def many_image_rows(bench: Bench) -> Iterator[Row]:
    """What an image costs beside its pixels."""
    tiny = partial(tiny_study, n_images=N_TINY)

    def run_all() -> Cost:
        folder = made(bench, "tiny", tiny)
        aside = Path(mkdtemp(dir=bench.folder))  # ext4 is slow where files were just removed
        for done in (WORKSPACE, PROBABILITIES, REPORT):
            if (folder / done).exists():
                (folder / done).rename(aside / done)
        return run_rest()

    def run_rest() -> Cost:
        return program_cost([*ILPIX, "run", "-C", made(bench, "tiny", tiny)], bench.beside)

    def loop() -> Cost:
        folder = made(bench, "tiny", tiny)
        return told_cost([sys.executable, "-c", LOOP, folder, bench.folder / "by_loop"])

    def importing() -> Cost:
        return program_cost([sys.executable, "-c", "import prefect.flows"], bench.environment)

    yield Row(
        f"ilpix run, {N_TINY} images of 48² px × 3, everything new, beside a server",
        lambda: (run_all, loop),
        "a plain loop, one thread",
        n_images=N_TINY,
    )
    yield Row(
        f"ilpix run, {N_TINY} images of 48² px × 3, nothing to do, beside a server",
        lambda: (run_rest, importing),
        IMPORT_PREFECT,
        n_images=N_TINY,
    )


def made(bench: Bench, name: str, make: Callable[[Path, Environment], Path]) -> Path:
    """Return a data directory, made the first time."""
    folder = bench.folder / name
    return folder if folder.exists() else make(folder, bench.environment)
