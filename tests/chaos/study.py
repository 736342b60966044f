"""Forty small images on their way to probabilities, and what was left of it by a kill."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from prefect.settings import PREFECT_API_URL

from tests.unit.foreign_projects import pixels, write_crop, write_project

N_IMAGES = 40
AT_A_TIME = 2
EDGE_PX = 40
HOOK = Path(__file__).with_name("hook")
PROGRAM = Path(sys.executable).with_name("ilpix")
ITSELF = 0  # among those who die
COMMAND, NOBODY = r"bin/ilpix ", r"$."  # in the command line of a process
CHANGING = ("ilpix_run.json", "ilpix_report/index.html")  # say when and how fast


@dataclass(frozen=True)
class Verb:
    words: tuple[str, ...]
    who: str = COMMAND

    @property
    def name(self) -> str:
        return self.words[0]


PREPARE = Verb(("prepare", "--cropsize", "40", "--seed", "1"))
OVERWRITE = Verb(("prepare", "--cropsize", "40", "--seed", "2", "--overwrite"))
TRAIN = Verb(("train", "--labels", "labels", "--features", "fast"))
RUN = Verb(("run",))
FIX = Verb(("fix",))


@dataclass(frozen=True)
class Stage:
    """A folder before a verb, and what the verb makes of it undisturbed."""

    start: Path
    before: Mapping[str, str]
    after: Mapping[str, str]
    n_operations: int


def write_study(folder: Path) -> None:
    """Images, a panel and nothing else."""
    rng = np.random.default_rng(5)
    (folder / "img").mkdir(parents=True)
    for index in range(N_IMAGES):
        image = rng.poisson(3, (3, EDGE_PX, EDGE_PX)).astype(np.uint8)
        image[0, 10:25, 5:30] += 20
        tifffile.imwrite(folder / f"img/i{index:02d}.tiff", image, photometric="minisblack")
    (folder / "panel.csv").write_text("channel,name\nA,a\nB,b\nC,c\n")


def write_labels(folder: Path) -> None:
    """A label image beside each of four crops."""
    (folder / "labels").mkdir()
    for crop in sorted((folder / "ilastik_crops").glob("*.h5"))[:4]:
        labels = np.zeros((EDGE_PX, EDGE_PX), np.uint8)
        labels[2:6, 2:30], labels[20:24, 20:30], labels[34:38, 2:30] = 1, 2, 3
        tifffile.imwrite(folder / f"labels/{crop.stem}.tiff", labels)


def write_foreign(folder: Path) -> None:
    """A project of another program and its crops, in an axis order that a fix changes."""
    folder.mkdir(parents=True)
    names = [f"c{index:02d}" for index in range(N_IMAGES)]
    write_project(folder / "pixel_classifier.ilp", [f"old/{name}.h5/{name}" for name in names])
    for seed, name in enumerate(names):
        write_crop(folder / "ilastik_crops" / f"{name}.h5", pixels(seed))


def chaos(
    folder: Path, moment: int, mark: Path, who: str = COMMAND, victims: Sequence[int] = (ITSELF,)
) -> dict[str, str]:
    """The environment of programs amid whose work on a folder somebody dies; see the hook."""
    mark.unlink(missing_ok=True)
    named = mark.with_suffix(".victims")
    named.write_text(" ".join(map(str, victims)), encoding="ascii")
    return {
        "CHAOS_FOLDER": str(folder),
        "CHAOS_WHO": who if moment else COMMAND,
        "CHAOS_MOMENT": str(moment),
        "CHAOS_MARK": str(mark),
        "CHAOS_VICTIMS": str(named),
        "PYTHONPATH": str(HOOK),
        "ILPIX_PARALLEL": str(AT_A_TIME),
        "ILPIX_THREADS": "1",
    }


def run_verb(
    folder: Path,
    verb: Verb,
    moment: int,
    mark: Path,
    victims: Sequence[int] = (ITSELF,),
    server: str | None = None,
) -> "subprocess.CompletedProcess[str]":
    """Run a verb beside a server, the tests' own if no other is named.

    At a moment the verb dies, or other processes in its place; at moment 0 nobody.
    """
    return subprocess.run(
        [PROGRAM, *verb.words],
        cwd=folder,
        env=os.environ
        | {"PREFECT_API_URL": server or PREFECT_API_URL.value()}
        | chaos(folder, moment, mark, verb.who, victims),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def copy_of(folder: Path, target: Path) -> Path:
    """A copy with the times of all files, as a moved folder has them."""
    shutil.rmtree(target, ignore_errors=True)
    return shutil.copytree(folder, target, symlinks=True)


def visible(folder: Path) -> dict[str, str]:
    """The digest of each file that people see; hidden ones and their folders are ours."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not re.search(r"(^|/)\.", name) and name not in CHANGING:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def require_whole(folder: Path, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Every file that is to be seen is one of before or of the end, and the manifest is JSON."""
    known = {*before.values(), *after.values()}
    torn = [name for name, digest in visible(folder).items() if digest not in known]
    assert torn == []
    manifest = folder / "ilpix_run.json"
    assert not manifest.exists() or json.loads(manifest.read_text(encoding="utf-8"))


def states(folder: Path, verb: str) -> dict[str, list[str]]:
    """The images of the last run of a verb, by what became of them."""
    record = json.loads((folder / "ilpix_run.json").read_text(encoding="utf-8"))["verbs"][verb]
    found: dict[str, list[str]] = {"done": [], "kept": [], "failed": []}
    for image in record["images"]:
        found[image["state"]].append(f"{image['step']} {image['image']}")
    return found
