"""`prune`: what it finds, what it never takes, and what is left."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from command.demo import CROPSIZE, LABELS, SEED
from flows.options import PrepareOptions, RunOptions
from flows.prepare import prepare
from flows.pruning import plan_pruning
from flows.run import run
from ilpix.example import write_example
from tests.flows.command_line import ilpix
from tests.flows.trained_folders import make_trained

OPTIONS = PrepareOptions(cropsize=CROPSIZE, seed=SEED)
REPOSITORY = Path(__file__).parents[2]
MADE = "made of images that are gone"
CROPS = "crops that no project names"
RECORDS = "records of files that are gone"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    make_trained(folder)
    run(folder, RunOptions(also=("classes",)))
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(trained, tmp_path / "data")
    monkeypatch.chdir(tmp_path / "data")
    return tmp_path / "data"


def files(folder: Path) -> dict[str, bytes]:
    """All files but the digests, which are looked up, and the lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "digests" and path.name != "lock"
    }


def found(folder: Path) -> dict[str, set[str]]:
    return {
        leftover.what: {str(path.relative_to(folder)) for path in leftover.paths}
        for leftover in plan_pruning(folder).leftovers
        if not leftover.is_private
    }


def test_where_everything_is_of_use_there_is_nothing_to_prune(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files(folder)
    assert ilpix("prune") == 0
    assert "nothing to prune" in capsys.readouterr().err
    assert ilpix("prune", "--yes") == 0
    assert files(folder) == before


def test_it_only_lists_until_it_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "img" / "region_2.tiff").unlink()
    prepare(folder, OPTIONS)
    run(folder)
    (folder / ".ilpix" / "logs").mkdir(exist_ok=True)
    (folder / ".ilpix" / "logs" / "old.log").touch()
    before = files(folder)
    assert ilpix("prune") == 0
    told = capsys.readouterr()
    assert MADE in told.out
    assert "logs: 1 file, " in told.out
    assert "region_2.h5" in told.out
    assert "--yes" in told.err
    assert files(folder) == before


def test_everything_that_was_made_of_an_image_goes_with_it(folder: Path) -> None:
    (folder / "img" / "region_2.tiff").unlink()
    prepare(folder, OPTIONS)
    run(folder, RunOptions(also=("classes",)))
    before = files(folder)
    assert found(folder)[MADE] > {
        "ilastik_img/region_2.h5",
        "ilastik_probabilities/region_2.tiff",
        "ilastik_classes/region_2.tiff",
        "ilpix_report/pictures/region_2.js",
    }
    assert ilpix("prune", "--yes") == 0
    after = files(folder)
    gone = {name for name in set(before) - set(after) if ".ilpix" not in name}
    assert gone == {name for name in before if "region_2." in name and "truth" not in name}
    assert all(after[name] == before[name] for name in after)


def test_records_of_what_is_gone_go_and_the_others_are_still_hits(folder: Path) -> None:
    (folder / "img" / "region_2.tiff").unlink()
    prepare(folder, OPTIONS)
    run(folder)
    n_records = len(list((folder / ".ilpix" / "results").iterdir()))
    ilpix("prune", "--yes")
    assert plan_pruning(folder).leftovers == ()
    n_left = len(list((folder / ".ilpix" / "results").iterdir()))
    assert 0 < n_left < n_records
    assert ilpix("run", "--json", "-q") == 0
    record = (folder / "ilpix_run.json").read_text()
    assert '"state": "done"' not in record


def test_what_the_last_run_lists_stays_and_why_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "img" / "region_2.tiff").unlink()
    prepare(folder, OPTIONS)
    assert ilpix("prune", "--yes") == 0
    assert not (folder / "ilastik_img" / "region_2.h5").exists()
    assert (folder / "ilastik_probabilities" / "region_2.tiff").exists()
    assert "kept: 2 files, such as region_2." in (said := capsys.readouterr().err)
    assert ", which the last ilpix run lists; run it again first" in said


def test_files_can_be_moved_instead(folder: Path, tmp_path: Path) -> None:
    (folder / "img" / "region_2.tiff").unlink()
    content = (folder / "ilastik_img" / "region_2.h5").read_bytes()
    prepare(folder, OPTIONS)
    run(folder)
    assert ilpix("prune", "--yes", "--to", str(tmp_path / "away")) == 0
    assert (tmp_path / "away" / "ilastik_img" / "region_2.h5").read_bytes() == content
    assert (tmp_path / "away" / "ilastik_probabilities" / "region_2.tiff").exists()
    assert not (folder / "ilastik_img" / "region_2.h5").exists()


def test_nothing_is_moved_over_other_files(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "img" / "region_2.tiff").unlink()
    prepare(folder, OPTIONS)
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "other").touch()
    assert ilpix("prune", "--yes", "--to", str(tmp_path / "away")) == 1
    assert "is not empty" in capsys.readouterr().err
    assert ilpix("prune", "--yes", "--to", "panel.csv") == 1
    assert "panel.csv is a file, not a folder" in capsys.readouterr().err
    assert (folder / "ilastik_img" / "region_2.h5").exists()


def test_crops_of_an_earlier_seed_go(tmp_path: Path) -> None:
    write_example(tmp_path)
    prepare(tmp_path, OPTIONS)
    earlier = {f"ilastik_crops/{path.name}" for path in (tmp_path / "ilastik_crops").iterdir()}
    assert found(tmp_path) == {}
    prepare(tmp_path, OPTIONS.model_copy(update={"seed": 9}))
    assert found(tmp_path) == {CROPS: earlier}


def test_crops_of_a_backup_stay(folder: Path) -> None:
    shutil.rmtree(folder / LABELS)
    backup = folder / "pixel_classifier.ilp.bak"
    (folder / "pixel_classifier.ilp").rename(backup)
    prepare(folder, OPTIONS.model_copy(update={"seed": 9}))
    assert CROPS not in found(folder)
    backup.unlink()
    assert len(found(folder)[CROPS]) == 5


def test_crops_with_labels_drawn_elsewhere_stay(folder: Path) -> None:
    (folder / "pixel_classifier.ilp").unlink()
    prepare(folder, OPTIONS.model_copy(update={"seed": 9}))
    assert CROPS not in found(folder)
    shutil.rmtree(folder / LABELS)
    assert len(found(folder)[CROPS]) == 5


def test_no_crop_goes_where_a_project_cannot_be_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(folder / LABELS)
    (folder / "pixel_classifier.ilp").unlink()
    prepare(folder, OPTIONS.model_copy(update={"seed": 9}))
    (folder / "damaged.ilp").write_bytes(b"no project")
    assert ilpix("prune", "--yes") == 0
    assert "damaged.ilp" in capsys.readouterr().err
    assert len(list((folder / "ilastik_crops").iterdir())) == 10


def test_logs_go_but_for_those_of_failures(folder: Path) -> None:
    logs = folder / ".ilpix" / "logs"
    logs.mkdir()
    (logs / "region_1-a.log").write_text("well")
    (logs / "region_2-b.log").write_text("ill")
    manifest = folder / "ilpix_run.json"
    text = manifest.read_text().replace(
        '"error": null', '"error": "Ilastik failed\\nlog: /x/region_2-b.log"', 1
    )
    manifest.write_text(text)
    assert ilpix("prune", "--yes") == 0
    assert [path.name for path in logs.iterdir()] == ["region_2-b.log"]


def test_a_folder_that_is_not_there_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert ilpix("prune", "-C", "nowhere") == 1
    assert "there is no folder nowhere" in capsys.readouterr().err


def test_old_runs_of_the_temporary_server_are_forgotten(tmp_path: Path) -> None:
    """They were a hundred megabytes after six thousand images."""
    kept = {name: value for name, value in os.environ.items() if "PREFECT" not in name}
    home = kept | {"PREFECT_HOME": str(tmp_path / "home"), "PYTHONPATH": str(REPOSITORY)}
    write_example(tmp_path / "study")

    def command(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "command", *words],
            cwd=tmp_path / "study",
            env=home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    command("prepare", "--cropsize", "60", "--seed", "1")
    assert "temporary server" not in command("prune")
    database = tmp_path / "home" / "prefect.db"
    with sqlite3.connect(database) as connection:
        connection.execute("update flow_run set end_time = '2020-01-01 00:00:00.000000'")
        connection.execute("update events set occurred = '2020-01-01 00:00:00.000000'")
        connection.execute("update event_resources set occurred = '2020-01-01 00:00:00.000000'")
    connection.close()
    command("prepare", "--cropsize", "60", "--seed", "1")
    size = database.stat().st_size
    assert "1 of more than a day ago" in command("prune")
    assert "freed" in command("prune", "--yes")
    assert "temporary server" not in command("prune")
    assert database.stat().st_size < size
    with sqlite3.connect(database) as connection:
        runs = connection.execute("select count(*) from flow_run").fetchone()[0]
        tasks = connection.execute(
            "select count(*) from task_run where flow_run_id not in (select id from flow_run)"
        ).fetchone()[0]
    connection.close()
    assert (runs, tasks) == (1, 0)
