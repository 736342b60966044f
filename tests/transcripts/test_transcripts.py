"""What a person reads, word for word. Names are as long as those of real studies."""

import json
import re
from pathlib import Path
from shutil import rmtree

import numpy as np
import pytest
import tifffile
from PIL import Image

from ilpix.images.hdf5 import find_prepared, open_prepared, write_image
from tests.transcripts.server import in_python, remembered, serving
from tests.transcripts.terminal import SPINNER, in_log, on_terminal, without_seconds

EDGES = {"1_s0_a1": (30, 35), "1_s0_a2": (60, 64), "2_s0_a1": (87, 103), "2_s0_a2": (43, 50)}
NAMES = {key: f"20210305_NE_mockData{key}_ac_ilastik" for key in EDGES}
TABLE = "channel,name,ilastik\nIr191,DNA,1\nYb172,H3K27Ac,2\n"
LABEL_NEXT = (
    "next: label every class in several crops, in the browser (ilpix annotate), in Ilastik (ilpix "
    "gui) or in any other program (ilpix train --labels FOLDER)"
)
NO_CROP = (
    "no crop of this name in ilastik_crops; copy it there, under a name of its own if several "
    "lanes share one"
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images of different sizes, prepared with a crop size that two of them have."""
    folder = tmp_path_factory.mktemp("transcripts") / "study"
    (folder / "img").mkdir(parents=True)
    (folder / "panel.csv").write_text(TABLE)
    rng = np.random.default_rng(0)
    for key, size in EDGES.items():
        image = rng.poisson(3, (2, *size)).astype(np.float32)
        tifffile.imwrite(folder / "img" / f"{NAMES[key]}.tiff", image, photometric="minisblack")
    assert in_log(folder, "prepare", "--cropsize", "100", "--seed", "1")[0] == 0
    return folder


def test_preparing_on_a_terminal_moves_all_the_time_and_ends_with_what_comes_next(
    study: Path,
) -> None:
    seen = on_terminal(study, "prepare", "--cropsize", "100", "--seed", "1")
    assert (seen.code, seen.moved) == (0, True)
    small = f"{NAMES['1_s0_a1']} (60×70), {NAMES['2_s0_a2']} (86×100)"
    assert seen.sentences[0] == f"preparing the images in {study} …"
    assert without_seconds(seen.sentences)[-5:] == [
        f"warning: too small for a crop of 100: 2 of 4 images, {small}; a crop size of 60 fits all",
        "prepare: 4 had been done before in N s",
        "crops: ilastik_crops",
        "project: pixel_classifier.ilp",
        LABEL_NEXT,
    ]
    assert not [line for line in seen.final if SPINNER.intersection(line)]
    for command in ("(ilpix annotate)", "(ilpix gui)", "(ilpix train --labels FOLDER)"):
        assert any(command in line for line in seen.final)  # not broken


def test_preparing_in_a_log_is_a_line_an_image_and_one_warning_for_all_that_are_too_small(
    study: Path,
) -> None:
    code, told, log = in_log(study, "prepare", "--cropsize", "100", "--seed", "1")
    assert code == 0
    assert log[0] == f"preparing the images in {study} …"
    assert [line.split()[0] for line in log[1:5]] == ["prepare-image"] * 4
    small = f"{NAMES['1_s0_a1']} (60×70), {NAMES['2_s0_a2']} (86×100)"
    assert log[5:7] == [
        "crop positions are drawn with --seed 1",
        f"warning: too small for a crop of 100: 2 of 4 images, {small}; a crop size of 60 fits all",
    ]
    assert [line.split()[:2] for line in log[7:]] == [["cut-crops", "1/2"], ["cut-crops", "2/2"]]
    assert without_seconds(told)[:3] == [
        "prepare: 4 had been done before in N s",
        "crops: ilastik_crops",
        "project: pixel_classifier.ilp",
    ]


def test_a_crop_size_that_no_image_has_names_both_that_fit(study: Path) -> None:
    seen = on_terminal(study, "prepare", "--cropsize", "512", "--cropout", "c", "-o", "new.ilp")
    assert seen.code == 1
    assert seen.sentences[-1] == (
        "error: a crop of 512 pixels (--cropsize) is larger than all 4 images, also when enlarged "
        "2 times, so there would be nothing to label; 60 fits all of them; 174 fits "
        f"{NAMES['2_s0_a1']}"
    )
    assert seen.final[-1].split()[-1] == NAMES["2_s0_a1"]  # not broken in the middle


def test_missing_crops_are_one_sentence_of_check_and_of_fix(study: Path) -> None:
    crops = sorted(path.stem for path in (study / "ilastik_crops").glob("*.h5"))
    (study / "ilastik_crops").rename(study / "moved")
    try:
        seen = on_terminal(study, "check")
        _, _, refused = in_log(study, "fix", "--dry-run")
        (study / "ilastik_crops").mkdir()
        _, told, log = in_log(study, "fix", "--dry-run")
    finally:
        (study / "ilastik_crops").rmdir()
        (study / "moved").rename(study / "ilastik_crops")
    assert seen.code == 1
    assert refused[-1] == (
        "error: there is no folder ilastik_crops with the 2 crops of pixel_classifier.ilp, which "
        "names ilastik_crops; copy the crops there, or name the folder they are in with --crop"
    )
    lanes = ", ".join(f"lane {index} ({crop})" for index, crop in enumerate(crops))
    assert (
        f"warning: {lanes}: has no crop in ilastik_crops; needed to train again, not to predict; "
        "copy it there, or run ilpix fix once it is there"
    ) in seen.sentences
    assert all(any(crop in line for line in seen.final) for crop in crops)
    assert log == [f"comparing project and crops in {study} …"]
    assert without_seconds(told) == [
        "plan",
        f"  problem: 2 crops, {crops[0]}.h5, {crops[1]}.h5: {NO_CROP}",
        "fix: 2 problems, nothing would change in N s",
        "project: pixel_classifier.ilp",
        "next: copy what is missing, then ilpix fix",
    ]


def test_label_images_with_a_mistake_are_told_with_the_next_step(study: Path) -> None:
    crops = sorted(path.stem for path in (study / "ilastik_crops").glob("*.h5"))
    (study / "drawn").mkdir()
    for crop in crops:
        tifffile.imwrite(study / "drawn" / f"{crop}.tif", np.ones((50, 50), np.uint8))
    seen = on_terminal(study, "train", "--labels", "drawn")
    assert seen.code == 1
    lines = [line.strip() for line in seen.final[1:]]
    for crop in crops:
        said = (
            f"{crop}.tif: is 50 rows by 50 columns, but its crop is 100 rows by 100 columns: it "
            "was drawn on the image before that was enlarged 2 times; draw on the crop itself, "
            f"ilastik_crops/{crop}.h5"
        )
        assert said in " ".join(lines)
        assert any(f"ilastik_crops/{crop}.h5" in line for line in lines)  # not broken


CLASSES = "1 for Nucleus, 2 for Cytoplasm, 3 for Background"
AS_GREY = f"save it as 8-bit grey, TIFF or PNG: 0 for no label, {CLASSES}"
TUMOR = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [1, 1]},
    "properties": {"classification": {"name": "Tumor"}},
}


def test_each_mistake_of_a_label_image_is_a_sentence_of_its_own(study: Path) -> None:
    first, second = sorted(path.stem for path in (study / "ilastik_crops").glob("*.h5"))
    pixels, folder = np.ones((100, 100), np.uint8), study / "mistaken"
    folder.mkdir()
    Image.fromarray(pixels).save(folder / f"{first}.jpg")
    Image.fromarray(np.dstack([pixels] * 3)).save(folder / f"{second}.png")
    tifffile.imwrite(folder / f"{first}_labels.tif", pixels)
    (folder / f"{first}.geojson").write_text(json.dumps(TUMOR))
    seen = on_terminal(study, "train", "--labels", "mistaken")
    assert seen.code == 1
    said = " ".join(line.strip() for line in seen.final[1:])
    assert said == (
        "error: the labels in mistaken cannot be used: "
        f"{first}.geojson: has the class Tumor, but the classes of the project are Nucleus, "
        "Cytoplasm, Background; rename it in QuPath "
        f"{first}.jpg: is no TIFF or PNG; {AS_GREY} "
        f"{first}_labels.tif: no crop is called so; was {first} meant? "
        f"{second}.png: is a colour picture; {AS_GREY}"
    )
    assert all(any(crop in line for line in seen.final) for crop in (first, second))  # not broken


def test_empty_label_images_are_told_with_the_values_to_draw_with(study: Path) -> None:
    (study / "empty").mkdir()
    for crop in (study / "ilastik_crops").glob("*.h5"):
        tifffile.imwrite(study / "empty" / f"{crop.stem}.tif", np.zeros((100, 100), np.uint8))
    seen = on_terminal(study, "train", "--labels", "empty")
    assert seen.code == 1
    said = f"holds nothing but 2 empty label images; draw with the values {CLASSES}"
    assert seen.sentences[-1] == f"error: the labels in empty cannot be used: empty: {said}"


@pytest.fixture(scope="module")
def trained(study: Path) -> tuple[int, list[str], list[str]]:
    """What is said while the study is trained."""
    crops = sorted(path.stem for path in (study / "ilastik_crops").glob("*.h5"))
    rng = np.random.default_rng(1)
    (study / "labels").mkdir()
    for crop in crops:
        drawn = rng.integers(1, 4, (100, 100)) * (rng.random((100, 100)) < 0.01)
        tifffile.imwrite(study / "labels" / f"{crop}.tif", drawn.astype(np.uint8))
    return in_log(study, "train", "--labels", "labels", "--features", "fast")


def test_training_ends_with_the_worst_class_and_crop_and_whether_more_labels_would_help(
    trained: tuple[int, list[str], list[str]],
) -> None:
    told = [re.sub(r"-?\d+(\.\d+)?", "N", line) for line in trained[2][-4:]]
    recall, worst_class, worst_crop, more = told
    assert (
        recall == "mean recall of the classes on crops left out: N % (N % of all labelled pixels)"
    )
    assert re.fullmatch(
        r"worst class: (Nucleus|Cytoplasm|Background), N % of its N labelled pixels, most others "
        r"taken for (Nucleus|Cytoplasm|Background); label N more in two other crops",
        worst_class,
    )
    assert re.fullmatch(r"worst crop: \w+, N % of its N labelled pixels", worst_crop)
    assert re.fullmatch(
        "N labelled pixels instead of N changed the mean recall by N ± N points: .*", more
    )


def test_training_tells_its_phases_and_a_run_where_its_results_are(
    study: Path, trained: tuple[int, list[str], list[str]]
) -> None:
    code, told, log = trained
    assert code == 0
    phases = [line.partition(",")[0] for line in log if line.startswith("train-classifier:")]
    assert phases[0] == "train-classifier: features of crop 1 of 2"
    assert any(re.fullmatch(r"train-classifier: growing 100 trees from \d+ .*", p) for p in phases)
    assert any("judging" in phase for phase in phases)
    assert without_seconds(told)[:3] == [
        "train: 1 done in N s",
        "project: pixel_classifier.ilp",
        "quality: ilpix_report/training/quality.md",
    ]
    assert told[-1] == "next: ilpix run"
    seen = on_terminal(study, "run", "-v", "INFO", "--threads", "0")
    assert (seen.code, seen.moved) == (0, True)
    assert without_seconds(seen.final)[-3:] == [
        "run: 4 done in N s",
        "probabilities: ilastik_probabilities",
        "report: ilpix_report/index.html",
    ]


IN_PYTHON = """
import sys
from pathlib import Path
from flows import TrainOptions, run, train
train(Path(sys.argv[1]), TrainOptions(features="fast", refresh=True))
run(Path(sys.argv[1]))
"""


def test_prefects_ui_shows_what_a_log_says(
    study: Path, trained: tuple[int, list[str], list[str]]
) -> None:
    """Prefect gave our loggers a handler and no level: all but warnings was held back."""
    with serving(study) as address:
        in_python(study, address, IN_PYTHON)
        logs = [line["message"] for line in remembered(address, "logs")]
        artifacts = remembered(address, "artifacts")
    _, _, log = trained
    # what was labelled before is another thing now; a slow machine says more often how it goes on
    said = [line for line in log[1:] if not re.search(r"labelled pixels: | s left$", line)]
    assert len(said) > 4
    assert list(dict.fromkeys(said)) == [*dict.fromkeys(line for line in logs if line in said)]
    predicted = [line.split() for line in logs if line.startswith("predict-image ")]
    assert [count for _, count, _ in predicted] == ["1/4", "2/4", "3/4", "4/4"]
    assert {name for _, _, name in predicted} == set(NAMES.values())
    shown = [a for a in artifacts if a["key"]]  # results of tasks are artifacts without one
    told = {a["key"].partition("-study")[0]: (a["data"], a["description"]) for a in shown}
    assert told["train-classifier-progress"] == (100, "1 of 1, last: finished")
    assert told["predict-image-progress"] == (100, "4 of 4, last: finished")


@pytest.mark.usefixtures("trained")
def test_what_concerns_all_images_is_told_once_and_what_failed_before_beside_only(
    study: Path,
) -> None:
    folder, whole = study / "ilastik_img", study / "whole"
    folder.rename(whole)
    for path in find_prepared(whole):
        with open_prepared(path) as image:
            write_image(folder / path.name, 20 * image.read(), image.record)
    damaged, *good = sorted(NAMES.values())
    (folder / f"{damaged}.h5").write_bytes(b"")
    try:
        code, told, log = in_log(study, "run")
        assert code == 1
        assert "".join([*told, *log]).count("times as bright") == 1
        assert without_seconds(told)[0] == "run: 3 done, 1 failed in N s"
        code, told, log = in_log(study, "run", "--only", good[0])
    finally:
        rmtree(folder)
        whole.rename(folder)
    assert code == 0
    assert without_seconds(told)[:2] == [
        "run: 1 had been done before in N s",
        f"still failed from before: {damaged}",
    ]


NO_ILASTIK = (
    "the engine 'embedded' predicts without Ilastik, so /opt/run.sh would not be used, and there "
    "is no such file; leave it out, or choose the engine: 'local' for run_ilastik.sh on this "
    "machine, 'docker' or 'apptainer' for a container image"
)
NO_LABELS = (
    "there is no folder nowhere to read labels from; check the path, or see how labels are saved: "
    "ilpix labels export"
)
NO_PROGRAM = "nowhere is not a program that can be run: give the path of run_ilastik.sh"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run --ilastik /opt/run.sh", NO_ILASTIK),
        ("check -C nowhere", "there is no folder nowhere; check the path, or where you are"),
        ("train --labels nowhere", NO_LABELS),
        ("gui --program nowhere", NO_PROGRAM),
    ],
)
def test_what_is_wrong_at_once_is_one_error(study: Path, words: str, said: str) -> None:
    seen = on_terminal(study, *words.split())
    assert seen.code == 1
    assert seen.sentences[-1] == f"error: {said}"
    assert not seen.moved
