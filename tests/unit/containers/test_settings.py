"""Decisions about container runs that need no engine."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from containers.command import PreparedInput, ilastik_arguments, ilastik_environment
from containers.engine import EngineFacts, plan_account, plan_limits
from containers.prediction import plan_memory_steps
from containers.presets import DEFAULT_IMAGE, ilastik_version, program_path
from containers.run import TMP, Account, BindMount, ContainerRun, Limits
from containers.settings import ContainerSettings, PathMapping, path_on_engine

GIB = 2**30
MIB = 2**20


@pytest.mark.parametrize(
    ("image", "program", "version"),
    [
        (DEFAULT_IMAGE, "/opt/ilastik-1.4.2-Linux/run_ilastik.sh", "1.4.2"),
        ("biocontainers/ilastik:1.4.0_cv2", "/opt/ilastik-1.4.0-Linux/run_ilastik.sh", "1.4.0"),
        (
            "localhost:5000/biocontainers/ilastik:1.4.1_cv1",
            "/opt/ilastik-1.4.1-Linux/run_ilastik.sh",
            "1.4.1",
        ),
        (
            "biocontainers/ilastik:1.4.2_cv1@sha256:" + "0" * 64,
            "/opt/ilastik-1.4.2-Linux/run_ilastik.sh",
            "1.4.2",
        ),
        ("ilastik/ilastik-from-binary:1.4.0b13", "/ilastik-release/run_ilastik.sh", "1.4.0b13"),
        (
            "quay.io/galaxy/ilastik:1.4.0",
            "/opt/ilastik/ilastik-1.4.0-Linux/run_ilastik.sh",
            "1.4.0",
        ),
        ("ghcr.io/bodenmillergroup/steinbock:0.16.5", "/opt/ilastik/run_ilastik.sh", "1.3.3post3"),
        ("ilpix-headless:0.1.0", "/opt/ilpix/run_ilastik.sh", None),
        ("somebody/tools:1.2.3", None, None),
        ("somebody/ilastik:1.4.3", None, "1.4.3"),
    ],
)
def test_known_images_tell_program_and_version(
    image: str, program: str | None, version: str | None
) -> None:
    assert program_path(image) == program
    assert ilastik_version(image) == version


def test_command_line_gives_every_export_option() -> None:
    inputs = [PreparedInput(Path("/data/a b{x}.h5"), "img", "cyx", 10, 20)]
    assert ilastik_arguments("/in/project.ilp", "/in", inputs, "/out") == (
        "--headless",
        "--project=/in/project.ilp",
        "--readonly=1",
        "--input_axes=cyx",
        "--export_source=Probabilities",
        "--output_format=hdf5",
        "--output_filename_format=/out/0000.h5",
        "--output_internal_path=exported_data",
        "--output_axis_order=yxc",
        "--export_dtype=uint16",
        "--pipeline_result_drange=(0.0,1.0)",
        "--export_drange=(0,65535)",
        "--cutout_subregion=[(None,None,None),(None,None,None)]",
        "/in/0000.h5/img",
    )


def test_several_images_get_their_names_from_ilastik() -> None:
    inputs = [PreparedInput(Path(f"/data/{n}.h5"), "img", "zyxc", 10, 20) for n in "ab"]
    arguments = ilastik_arguments("/in/project.ilp", "/in", inputs, "/out")
    assert "--output_filename_format=/out/{nickname}.h5" in arguments
    assert "--input_axes=zyxc" in arguments
    assert arguments[-2:] == ("/in/0000.h5/img", "/in/0001.h5/img")


@pytest.mark.parametrize(("cpus", "threads"), [(0.5, "1"), (3.9, "3"), (64, "8")])
def test_ilastik_is_told_threads_and_less_memory_than_the_limit(cpus: float, threads: str) -> None:
    environment = dict(ilastik_environment(cpus, 4 * GIB))
    assert environment["LAZYFLOW_THREADS"] == threads
    assert environment["LAZYFLOW_TOTAL_RAM_MB"] == "3072"
    assert environment["HOME"] == TMP


def test_parallel_runs_share_cores_and_memory() -> None:
    facts = EngineFacts(cpus=16, memory_bytes=64 * GIB, is_podman=False, is_rootless=False)
    limits, ceiling = plan_limits(ContainerSettings(parallel=4, memory_bytes=32 * GIB), facts)
    assert limits.cpus == 4
    assert 14 * GIB < ceiling < 16 * GIB
    assert limits.memory_bytes == ceiling


def test_limits_stay_within_the_engine() -> None:
    facts = EngineFacts(cpus=2, memory_bytes=2 * GIB, is_podman=False, is_rootless=False)
    limits, ceiling = plan_limits(ContainerSettings(cpus=8, memory_ceiling_bytes=64 * GIB), facts)
    assert limits.cpus == 2
    assert limits.memory_bytes == ceiling == 2 * GIB


def test_memory_doubles_up_to_the_ceiling() -> None:
    assert plan_memory_steps(4 * GIB, 15 * GIB) == (4 * GIB, 8 * GIB, 15 * GIB)
    assert plan_memory_steps(4 * GIB, 4 * GIB) == (4 * GIB,)
    assert plan_memory_steps(8 * GIB, 4 * GIB) == (4 * GIB,)


@pytest.mark.parametrize(
    ("rootless", "podman", "uid", "account"),
    [
        (False, False, 1000, Account("1000:1000")),
        (False, False, 0, Account("65534:65534")),
        (True, True, 1000, Account("1000:1000", "keep-id")),
        (True, False, 1000, Account("0:0")),
    ],
)
def test_process_in_the_container_has_no_rights(
    rootless: bool, podman: bool, uid: int, account: Account
) -> None:
    facts = EngineFacts(cpus=2, memory_bytes=GIB, is_podman=podman, is_rootless=rootless)
    assert plan_account(facts, uid, uid) == account


def test_most_specific_mapping_decides() -> None:
    mappings = (
        PathMapping.model_validate("/data:/srv/lab"),
        PathMapping.model_validate("/data/scratch:/fast"),
    )
    assert path_on_engine(Path("/data/a/b.h5"), mappings) == Path("/srv/lab/a/b.h5")
    assert path_on_engine(Path("/data/scratch/b.h5"), mappings) == Path("/fast/b.h5")
    assert path_on_engine(Path("/database/b.h5"), mappings) == Path("/database/b.h5")


def test_path_map_can_be_written_as_text() -> None:
    settings = ContainerSettings.model_validate({"path_map": "/data:/srv/lab,/tmp/x:/y"})
    assert [m.outside for m in settings.path_map] == [Path("/srv/lab"), Path("/y")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"imagee": "x"},
        {"timeout_s": 0},
        {"memory_bytes": 1},
        {"pull": "sometimes"},
        {"path_map": "/data"},
        {"path_map": "data:/srv"},
        {"program": "run_ilastik.sh"},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ContainerSettings.model_validate(wrong)


def test_run_asks_for_every_limit() -> None:
    run = ContainerRun(
        name="ilpix-1",
        image="sha256:0",
        program="/opt/run_ilastik.sh",
        arguments=("--headless",),
        mounts=(
            BindMount(Path("/data/a.h5"), "/in/0000.h5"),
            BindMount(Path("/data/out"), "/out", read_only=False),
        ),
        environment=(("HOME", TMP),),
        labels=(("ilpix.run", "7"),),
        account=Account("1000:1000"),
        limits=Limits(memory_bytes=GIB, cpus=1.5, pids=64, timeout_s=10),
    )
    options = run.create_options()
    assert [(m["Source"], m["Target"], m["ReadOnly"]) for m in options.pop("mounts")] == [
        ("/data/a.h5", "/in/0000.h5", True),
        ("/data/out", "/out", False),
    ]
    assert options.pop("log_config")["Type"] == "json-file"
    assert options.pop("ulimits") == [
        {"Name": "core", "Soft": 0, "Hard": 0},
        {"Name": "nofile", "Soft": 4096, "Hard": 4096},
    ]
    assert options == {
        "name": "ilpix-1",
        "entrypoint": ["/opt/run_ilastik.sh"],
        "command": ["--headless"],
        "environment": {"HOME": TMP},
        "labels": {"ilpix.run": "7"},
        "platform": "linux/amd64",
        "working_dir": TMP,
        "user": "1000:1000",
        "userns_mode": None,
        "mem_limit": GIB,
        "memswap_limit": GIB,
        "nano_cpus": 1_500_000_000,
        "pids_limit": 64,
        "network_mode": "none",
        "ipc_mode": "private",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "read_only": True,
        "tmpfs": {TMP: "rw,noexec,nosuid,nodev,mode=1777"},
        "init": True,
        "auto_remove": False,
    }
