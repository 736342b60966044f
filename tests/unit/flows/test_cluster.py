"""The settings of a cluster, and the job scripts that schedulers get."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from flows.cluster_settings import ClusterSettings
from flows.running.cluster import SCHEDULERS, _own_interrupt, cluster_options
from flows.settings import Settings, list_settings

with _own_interrupt():
    import dask_jobqueue

GIVEN = ClusterSettings.model_validate(
    {
        "queue": "long",
        "account": "lab",
        "cores": "8",
        "memory": "16GiB",
        "walltime": "12:30:00",
        "prologue": "module load apptainer && source /shared/env/bin/activate",
        "directives": "--qos=low; --constraint=avx2,ib",
        "python": "/shared/env/bin/python",
        "interface": "lo",
    }
)


def job_script(kind: str, folder: Path) -> str:
    options = cluster_options(kind, GIVEN, 4, folder)
    options.pop("scheduler_options")
    job = getattr(dask_jobqueue, SCHEDULERS[kind].cluster).job_cls
    return str(job("tls://10.0.0.1:8786", name="job-1", **options).job_script())


def test_slurm_is_asked_for_what_the_settings_say(tmp_path: Path) -> None:
    lines = job_script("slurm", tmp_path).splitlines()
    assert {
        "#SBATCH -p long",
        "#SBATCH -A lab",
        "#SBATCH --cpus-per-task=8",
        "#SBATCH --mem=16G",
        "#SBATCH -t 12:30:00",
        "#SBATCH --qos=low",
        "#SBATCH --constraint=avx2,ib",
        "module load apptainer && source /shared/env/bin/activate",
    } <= set(lines)
    command = lines[-1].split()
    assert command[:2] == ["/shared/env/bin/python", "-m"]
    assert command[len(command) - command[::-1].index("--nthreads")] == "4"
    assert command[command.index("--interface") + 1] == "lo"


@pytest.mark.parametrize(
    ("kind", "asks"),
    [
        ("pbs", ["#PBS -q long", "#PBS -A lab", "#PBS -l walltime=12:30:00", "ncpus=8"]),
        ("lsf", ["#BSUB -q long", '#BSUB -P "lab"', "#BSUB -W 12:30\n", "#BSUB -n 8"]),
        ("sge", ["#$ -q long", "#$ -P lab", "#$ -l h_rt=12:30:00"]),
    ],
)
def test_the_settings_reach_other_schedulers(kind: str, asks: list[str], tmp_path: Path) -> None:
    script = job_script(kind, tmp_path)
    for ask in [*asks, "--qos=low", "module load apptainer"]:
        assert ask in script


@pytest.mark.parametrize(
    "wrong",
    [
        {"walltime": "two hours"},
        {"memory": "1"},
        {"memory": "much"},
        {"cores": 0},
        {"max_jobs": 0},
        {"min_jobs": 3, "max_jobs": 2},
        {"port": 70000},
        {"que": "long"},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ClusterSettings.model_validate(wrong)


def test_every_setting_of_a_cluster_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ILPIX_CLUSTER__QUEUE", "long")
    rows = {row.variable: row for row in list_settings(Settings())}
    assert rows["ILPIX_CLUSTER__QUEUE"][1:3] == ("long", "environment")
    listed = {name for name in rows if name.startswith("ILPIX_CLUSTER__")}
    assert listed == {f"ILPIX_CLUSTER__{name.upper()}" for name in ClusterSettings.model_fields}
