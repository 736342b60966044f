"""What is written around the trees of a forest is what Ilastik writes there."""

import gzip
from pathlib import Path

import h5py
import pytest

from ilpix.forest.stored import load_forest
from ilpix.forest.writing import write_forests
from ilpix.project.file import FORESTS
from tests.golden.hdf5_contents import contents

PROJECTS = sorted((Path(__file__).parent / "data" / "engine").glob("*/project.ilp.gz"))


def test_there_are_golden_projects() -> None:
    assert PROJECTS


@pytest.mark.parametrize("packed", PROJECTS, ids=lambda path: path.parent.name)
def test_a_forest_is_laid_out_as_ilastik_lays_it_out(packed: Path, tmp_path: Path) -> None:
    project, copy = tmp_path / "project.ilp", tmp_path / "copy.h5"
    project.write_bytes(gzip.decompress(packed.read_bytes()))
    with h5py.File(project) as file, h5py.File(copy, "w") as target:
        group = file[FORESTS]
        names = [name.decode() for name in group["feature_names"][()]]
        n_samples = int(group["Forest0000/_ext_param/row_count_"][0])
        write_forests(target.create_group(FORESTS), load_forest(group), names, n_samples)
    theirs = {name: held for name, held in contents(project).items() if FORESTS in name}
    ours = {name: held for name, held in contents(copy).items() if FORESTS in name}
    assert ours.keys() == theirs.keys()
    differing = {name for name, held in theirs.items() if ours[name] != held}
    assert {name for name in differing if "/Tree_" not in name} == set()
