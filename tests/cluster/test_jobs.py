"""Jobs of a real SLURM: same bytes whatever becomes of a job, and refusals before any image."""

import json
import shutil
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from containers.apptainer_errors import ApptainerImageMissingError
from flows.options import RunOptions
from flows.run import run
from flows.running.cluster_errors import (
    JobRefusedError,
    JobsNotStartingError,
    SchedulerMissingError,
)
from ilpix.data_directory import JOBS, LOGS, PROBABILITIES, WORKSPACE
from tests.cluster.conftest import jobs, slurm_says, wait_for

COPIES = 8  # of each of the five images

pytestmark = pytest.mark.slurm


def state_of(job: str) -> str:
    """The state that a job ended in, once its processes are gone."""

    def state() -> str:
        words = slurm_says("scontrol", "show", "job", job).split()
        return next(word.partition("=")[2] for word in words if word.startswith("JobState="))

    wait_for(lambda: state() != "COMPLETING")
    return state()


def freeze(job: str) -> None:
    """Stop the processes of a job, in the middle of whatever they do.

    The script of a job says in its environment whose it is; what it starts may overwrite that.
    """
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it has ended
            if process.environ().get("SLURM_JOB_ID") == job:
                for each in (process, *process.children(recursive=True)):
                    each.suspend()


class Fates(threading.Thread):
    """While a run works: one job hangs until its walltime is over, the other is cancelled."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.results, self.logs = folder / PROBABILITIES, folder / WORKSPACE / LOGS / JOBS
        self.over_time = self.cancelled = ""

    def run(self) -> None:
        wait_for(lambda: sum("Registered to" in log.read_text() for log in self._logs()) == 2)
        wait_for(lambda: len(list(self.results.glob("*.tiff"))) >= 4)
        self.over_time, self.cancelled = jobs("RUNNING")
        freeze(self.over_time)
        slurm_says("scontrol", "update", f"JobId={self.over_time}", "TimeLimit=0")
        slurm_says("scancel", self.cancelled)

    def _logs(self) -> list[Path]:
        return [log for job in jobs("RUNNING") for log in self.logs.glob(f"*-{job}.err")]


def test_a_run_completes_although_one_job_is_cancelled_and_one_runs_over_its_time(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for image in list((folder / "ilastik_img").iterdir()):
        for number in range(1, COPIES):
            shutil.copy(image, image.with_stem(f"{image.stem}_{number}"))
    (folder / "ilpix_run.json").unlink()  # it says that the copies were made of no image
    shutil.copytree(folder, tmp_path / "threads")
    fates = Fates(folder)
    fates.start()
    found = {path.name: path.read_bytes() for path in run(folder, RunOptions())}
    fates.join()
    assert state_of(fates.cancelled) == "CANCELLED"
    assert state_of(fates.over_time) == "TIMEOUT"
    monkeypatch.setenv("ILPIX_TASK_RUNNER", "threads")
    expected = {path.name: path.read_bytes() for path in run(tmp_path / "threads", RunOptions())}
    assert len(expected) == 5 * COPIES
    assert found == expected
    images = json.loads((folder / "ilpix_run.json").read_text())["verbs"]["run"]["images"]
    assert len(images) == 5 * COPIES
    assert {outcome["state"] for outcome in images} <= {"done", "kept"}  # kept: by the lost job


def test_what_had_been_done_needs_no_job(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run with nothing to do waited in the queue to find that out."""
    with monkeypatch.context() as before:
        before.setenv("ILPIX_TASK_RUNNER", "threads")
        expected = run(folder, RunOptions())
    monkeypatch.setenv("ILPIX_CLUSTER__QUEUE", "nowhere")  # asking it would be an error
    assert run(folder, RunOptions()) == expected
    images = json.loads((folder / "ilpix_run.json").read_text())["verbs"]["run"]["images"]
    assert {outcome["state"] for outcome in images} == {"kept"}


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("QUEUE", "nowhere", "invalid partition specified: nowhere"),
        ("MEMORY", "900GiB", "node configuration is not available"),
        ("CORES", "500", "node configuration is not available"),
        ("WALLTIME", "5-00:00:00", "PartitionTimeLimit"),
    ],
)
def test_a_job_that_would_never_run_is_refused_before_any_image(
    folder: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, says: str
) -> None:
    monkeypatch.setenv(f"ILPIX_CLUSTER__{setting}", value)
    with pytest.raises(JobRefusedError, match=says):
        run(folder, RunOptions())
    assert not (folder / "ilastik_probabilities").exists()


def test_an_image_of_apptainer_that_is_not_there_is_said_before_any_job(folder: Path) -> None:
    options = RunOptions(engine="apptainer", ilastik=str(folder / "no.sif"))
    with pytest.raises(ApptainerImageMissingError, match="no such file"):
        run(folder, options)
    assert not (folder / ".ilpix" / "logs" / "jobs").exists()


def test_where_sbatch_is_missing_the_login_node_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as without_programs:
        without_programs.setenv("PATH", str(tmp_path))
        with pytest.raises(SchedulerMissingError, match="sbatch"):
            run(folder, RunOptions())


def test_jobs_that_cannot_begin_end_the_run_with_what_they_wrote(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ILPIX_CLUSTER__PYTHON", "/not/on/the/shared/disk/python")
    with pytest.raises(JobsNotStartingError, match="/not/on/the/shared/disk/python"):
        run(folder, RunOptions())


def test_an_interrupt_stays_one_when_the_library_is_loaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dask-jobqueue replaces the handler of Ctrl-C, and a run that was interrupted ended with 0."""
    before = signal.getsignal(signal.SIGINT)
    sys.modules.pop("dask_jobqueue.runner", None)
    sys.modules.pop("dask_jobqueue.slurm", None)
    sys.modules.pop("dask_jobqueue", None)
    monkeypatch.setenv("ILPIX_CLUSTER__QUEUE", "nowhere")
    with pytest.raises(JobRefusedError):
        run(folder, RunOptions())
    assert "dask_jobqueue.runner" in sys.modules
    assert signal.getsignal(signal.SIGINT) is before
