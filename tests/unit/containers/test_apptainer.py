"""Decisions about Apptainer that need none."""

import csv
import platform
from pathlib import Path

import pytest

from containers.apptainer import bind_mount, prepare_apptainer
from containers.apptainer_errors import (
    ApptainerDiskFullError,
    ApptainerImageMissingError,
    ApptainerMissingError,
    ApptainerRefusedError,
    DamagedImageError,
    NoSubordinateIdsError,
    NoUserNamespacesError,
    SquashfsToolsMissingError,
    WrongProcessorError,
    refusal,
)
from containers.apptainer_image import ApptainerImage, find_walls
from containers.confinement import CORES, MEMORY, NETWORK, base_flags, limiting_flags
from containers.run import TMP
from containers.settings import ApptainerSettings


@pytest.mark.parametrize(
    ("said", "error", "advice"),
    [
        (
            "ERROR  : Failed to create user namespace: not allowed to create user namespace",
            NoUserNamespacesError,
            "user.max_user_namespaces",
        ),
        (
            "FATAL: could not use fakeroot: no mapping entry found in /etc/subuid for eva",
            NoSubordinateIdsError,
            "/etc/subuid",
        ),
        (
            "FATAL:   container creation failed: squashfuse not found",
            SquashfsToolsMissingError,
            "--sandbox",
        ),
        (
            "FATAL: while creating squashfs: write x: disk quota exceeded",
            ApptainerDiskFullError,
            "",
        ),
        ("FATAL: write /tmp/x: no space left on device", ApptainerDiskFullError, "CACHE"),
        ("FATAL:   exec /bin/sh failed: exec format error", WrongProcessorError, "x86-64"),
        (
            (
                "FATAL:   container creation failed: image driver mount failure: image driver "
                "squashfuse_ll instance exited with error: squashfuse_ll exited: Something went "
                "wrong trying to read the squashfs image."
            ),
            DamagedImageError,
            "copy it again",
        ),
        (
            (
                "FATAL:   While checking container encryption: could not open image bad.sif: image "
                "format not recognized"
            ),
            DamagedImageError,
            "",
        ),
        (
            (
                "FATAL:   Unable to create build: while searching for mksquashfs: exec: "
                '"mksquashfs": executable file not found in $PATH'
            ),
            SquashfsToolsMissingError,
            "squashfs-tools",
        ),
        (
            (
                "FATAL:   While performing build: while creating SIF: while creating container: "
                "write x.sif: no space left on device"
            ),
            ApptainerDiskFullError,
            "",
        ),
        (
            "FATAL:   exec /bin/sh failed: fork/exec /bin/sh: exec format error",
            WrongProcessorError,
            "",
        ),
        ("FATAL:   something new", ApptainerRefusedError, "something new"),
    ],
)
def test_each_refusal_says_what_to_ask_for(
    said: str, error: type[ApptainerRefusedError], advice: str
) -> None:
    refused = refusal("ilastik.sif", f"INFO:    Converting SIF file\n{said}\n")
    assert type(refused) is error
    assert said in str(refused)
    assert advice in str(refused)
    assert "Converting" not in str(refused)


def test_a_reason_is_the_line_with_the_error_without_its_colour() -> None:
    """It was the code that switches the colour off."""
    said = "WARNING: x\n\x1b[91mERROR  : Failed to create user namespace: check y\n\x1b[0m"
    refused = refusal("ilastik.sif", said)
    assert type(refused) is NoUserNamespacesError
    assert refused.reason == "ERROR  : Failed to create user namespace: check y"
    assert refusal("ilastik.sif", f"{said}: exit status 1\n").reason == refused.reason


def test_every_run_is_confined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 1000)
    assert base_flags() == (
        "--containall",
        "--no-home",
        "--no-privs",
        "--drop-caps",
        "all",
        "--pwd",
        TMP,
    )
    monkeypatch.setattr("os.getuid", lambda: 0)
    assert base_flags()[0] == "--userns"


def test_only_walls_that_can_be_had_are_asked_for() -> None:
    assert limiting_flags((), 2**30, 2) == ()
    assert limiting_flags((NETWORK, MEMORY, CORES), 2**30, 1.5) == (
        *("--net", "--network", "none"),
        *("--memory", "1073741824"),
        *("--cpus", "1.5"),
    )


@pytest.mark.parametrize("name", ["plain.h5", "a,b.h5", 'quoted "name".h5', "with:colon.h5"])
def test_any_path_can_be_mounted(name: str) -> None:
    (fields,) = csv.reader([bind_mount(Path("/data") / name, "/in/0000.h5", "ro")])
    assert fields == ["type=bind", f"source=/data/{name}", "destination=/in/0000.h5", "ro"]


def test_a_file_that_is_not_there_is_named_before_anything_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = ApptainerSettings(image=str(tmp_path / "no.sif"))
    with pytest.raises(ApptainerImageMissingError, match="no such file"):
        prepare_apptainer(missing, tmp_path)


def test_without_apptainer_the_other_ways_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "ilastik.sif").touch()
    for image in ("docker://biocontainers/ilastik:1.4.2_cv1", str(tmp_path / "ilastik.sif")):
        settings = ApptainerSettings(image=image, cache=tmp_path)
        with pytest.raises(ApptainerMissingError, match=f"on {platform.node()}.*embedded"):
            prepare_apptainer(settings, tmp_path)


def test_a_compute_node_tries_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A node without Apptainer gave a traceback for each image."""
    monkeypatch.setenv("PATH", str(tmp_path))
    image = ApptainerImage("ilastik.sif", tmp_path / "ilastik.sif", "sha256:0", "/run", None)
    with pytest.raises(ApptainerMissingError):
        find_walls(image)
