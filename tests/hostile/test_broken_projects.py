"""Projects broken in many ways: each gives a clear error, soon."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest

from ilpix.checks.project_checks import check_project
from ilpix.errors import IlpixError, InvalidProjectError
from ilpix.project.labels import read_all_labels, write_labels
from ilpix.project.reading import read_project
from ilpix.repair.applying import apply_fix
from ilpix.repair.plan import plan_fix
from ilpix.repair.rescue import rescue_project
from tests.hostile.damage import BLOCK, CASES, FORESTS, OF_CLASSIFIER, Damage, write_sound_project
from tests.hostile.subjects import CROPS_BESIDE

LIMIT_S = 5  # a hang is stopped; each case takes a few hundredths


@pytest.fixture(scope="module")
def sound_project(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("sound") / "p.ilp"
    write_sound_project(path)
    return path.read_bytes()


@pytest.fixture
def project_path(tmp_path: Path, sound_project: bytes) -> Path:
    path = tmp_path / "p.ilp"
    path.write_bytes(sound_project)
    return path


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    def stop(_number: int, _frame: object) -> None:
        raise TimeoutError(f"took longer than {LIMIT_S} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def test_the_project_is_sound_before_it_is_broken(project_path: Path) -> None:
    project = read_project(project_path)
    assert project.has_labels
    assert project.has_classifier


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_damage_is_a_clear_error(project_path: Path, case: Damage) -> None:
    with h5py.File(project_path, "r+") as file:
        case.inflict(file)
    hinders_prediction = case in OF_CLASSIFIER
    if not hinders_prediction:
        assert read_project(project_path).has_classifier
    with pytest.raises(IlpixError, match=case.says) as caught:
        read_all_labels(read_project(project_path))
    assert str(project_path) in str(caught.value)
    severity = "error" if hinders_prediction else "warning"
    findings = check_project(project_path, project_path.parent / "ilastik_img")
    found = [f"{item.where}: {item.what}" for item in findings if item.severity == severity]
    assert any(re.search(case.says, what) for what in found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_project_is_not_written_to(project_path: Path, case: Damage) -> None:
    with h5py.File(project_path, "r+") as file:
        case.inflict(file)
    before = project_path.read_bytes()
    with pytest.raises(IlpixError):
        write_labels(project_path, {1: np.ones((6, 8), np.uint8)})
    assert project_path.read_bytes() == before
    assert [path.name for path in project_path.parent.iterdir()] == ["p.ilp"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_broken_project_is_not_fixed(project_path: Path, case: Damage) -> None:
    """A few kinds of damage do not hinder a plan; none may do more than be listed."""
    with h5py.File(project_path, "r+") as file:
        case.inflict(file)
    before = project_path.read_bytes()
    with suppress(IlpixError):
        plan = plan_fix(project_path, project_path.parent / "crops", project_path.parent / "out")
        apply_fix(plan)
    assert project_path.read_bytes() == before


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_project_cut_short_is_a_clear_error(project_path: Path, share: float) -> None:
    content = project_path.read_bytes()
    project_path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(IlpixError, match="cannot be"):
        read_project(project_path)


def test_a_folder_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(IlpixError, match="is a folder, not a file"):
        read_project(tmp_path)


def test_pickled_values_are_never_decoded(project_path: Path, tmp_path: Path) -> None:
    trace = tmp_path / "unpickled"
    trap = f"cos\nsystem\n(S'touch {trace}'\ntR.".encode()
    with h5py.File(project_path, "r+") as file:
        for where in ("PixelClassification/ClassifierFactory", f"{FORESTS}/pickled_type"):
            del file[where]
            file[where] = trap
        file["PixelClassification/Bookmarks/0000"] = np.void(trap)
    project = read_project(project_path)
    read_all_labels(project)
    write_labels(project_path, {1: np.ones((6, 8), np.uint8)})
    assert project.has_classifier
    assert not trace.exists()


@pytest.mark.parametrize("which", range(3, 90, 7))
def test_a_text_of_gigabytes_is_refused_before_it_is_read(project_path: Path, which: int) -> None:
    """The HDF5 library sets aside the claimed length of a text before it looks for the text."""
    content = bytearray(project_path.read_bytes())
    heap = content.index(b"GCOL").to_bytes(8, "little")
    places = [match.start() - 4 for match in re.finditer(re.escape(heap), content)]
    stored = [
        place for place in places if 0 < int.from_bytes(content[place : place + 4], "little") < 900
    ]
    place = stored[which % len(stored)]
    content[place : place + 4] = (2**31).to_bytes(4, "little")
    project_path.write_bytes(content)
    with pytest.raises(InvalidProjectError, match="claims a text of 2147483648"):
        read_project(project_path)


UNKNOWN_ENCODING = 0x20  # of the texts of a dataset; the format knows 0x00 and 0x10


def test_labels_in_texts_of_an_unknown_encoding_are_a_clear_error(project_path: Path) -> None:
    """h5py knows no type for them, and says so as late as it is asked."""
    with h5py.File(project_path, "r+") as file:
        place = file[BLOCK].attrs["blockSlice"]
        del file[BLOCK]
        file[BLOCK] = np.array([b"a label"], "S7")
        file[BLOCK].attrs["blockSlice"] = place
    content = project_path.read_bytes()
    kind = b"\x13\x01\x00\x00\x07\x00\x00\x00"  # texts of 7 bytes
    assert content.count(kind) == 1
    broken = kind[:1] + bytes([kind[1] | UNKNOWN_ENCODING]) + kind[2:]
    project_path.write_bytes(content.replace(kind, broken))
    with pytest.raises(InvalidProjectError, match="block0000"):
        read_all_labels(read_project(project_path))


def test_pieces_that_are_not_stored_are_not_copied_one_by_one(project_path: Path) -> None:
    """A change of the project read and wrote each of them, for minutes."""
    with h5py.File(project_path, "r+") as file:
        file.create_dataset("Input Data/local_data/x", (2**24,), np.uint8, chunks=(1,))
    before = project_path.read_bytes()
    with pytest.raises(InvalidProjectError, match="in 16777216 pieces"):
        write_labels(project_path, {1: np.ones((6, 8), np.uint8)})
    assert project_path.read_bytes() == before


@pytest.mark.parametrize("where", ["PixelClassification/LabelSets", "FeatureSelections"])
def test_a_rescue_goes_on_where_a_group_is_an_array(
    project_path: Path, tmp_path: Path, where: str
) -> None:
    """It ended with an error of Python."""
    with h5py.File(project_path, "r+") as file:
        del file[where]
        file[where] = 1
    rescued = rescue_project(project_path, tmp_path / "rescued.ilp")
    assert [label.name for label in rescued.project.classes] == ["A", "B"]


@pytest.mark.parametrize("where", ["/", "PixelClassification"])
def test_an_attribute_that_cannot_be_copied_is_a_clear_error(
    project_path: Path, tmp_path: Path, where: str
) -> None:
    """It ended a change of the project with an error of h5py; a rescue keeps all else."""
    with h5py.File(project_path, "r+") as file:
        file[where].attrs.create("note", b"\xfa", dtype=h5py.string_dtype("ascii"))
    with pytest.raises(InvalidProjectError, match="cannot be read"):
        write_labels(project_path, {1: np.ones((6, 8), np.uint8)})
    rescued = rescue_project(project_path, tmp_path / "rescued.ilp")
    assert [label.name for label in rescued.project.classes] == ["A", "B"]
    assert rescued.project.has_labels


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("Prediction Export", np.float32(1)),
        ("Prediction Export/OutputFilenameFormat", np.void(b"nickname")),
    ],
)
def test_settings_that_are_of_another_kind_are_set_anew_by_a_fix(
    project_path: Path, where: str, value: object
) -> None:
    """It ended with an error of Python."""
    with h5py.File(project_path, "r+") as file:
        if where in file:
            del file[where]
        file[where] = value
    CROPS_BESIDE["crops"](project_path.parent)
    plan = plan_fix(project_path, project_path.parent / "crops", project_path.parent / "out")
    apply_fix(plan)
    assert read_project(project_path).has_classifier
    with h5py.File(project_path) as file:
        assert file["Prediction Export/OutputFormat"][()] == b"tiff"


FUZZ = """
import random, sys
from pathlib import Path
from ilpix.checks.project_checks import check_project
from ilpix.errors import IlpixError
from ilpix.project.labels import read_all_labels
from ilpix.project.reading import read_project

path, seed = Path(sys.argv[1]), int(sys.argv[2])
sound, rng = path.read_bytes(), random.Random(seed)
n_refused = 0
for _ in range(150):
    broken = bytearray(sound)
    for _ in range(rng.choice([1, 2, 8, 64])):
        broken[rng.randrange(len(broken))] = rng.choice([0, 255, rng.randrange(256)])
    path.write_bytes(broken)
    try:
        read_all_labels(read_project(path))
    except IlpixError:
        n_refused += 1
print(n_refused)
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_random_damage_is_a_clear_error_or_harmless(project_path: Path, seed: int) -> None:
    """In a process of its own, as the HDF5 library might end it."""
    signal.alarm(60)
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, str(project_path), str(seed)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 20


def test_a_forest_of_very_many_groups_is_refused(
    project_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ilpix.project.self_contained.MAX_OBJECTS", 40)
    with pytest.raises(InvalidProjectError, match="more than 40 groups"):
        read_project(project_path)
