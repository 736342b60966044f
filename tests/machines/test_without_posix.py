"""The program needs nothing that Windows lacks: images become probabilities without it.

A stand-in for Windows, not Windows: `sys.platform` says so and what POSIX alone has is taken away,
the modules from our own code only, once the other packages are imported that would look for them.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import tifffile
from prefect.settings import PREFECT_API_URL

from command.demo import LABELS, SEED, write_labels_of_a_person
from flows.options import PrepareOptions
from ilpix.example import write_example

# What other packages need of it they have imported by then; ours are refused it.
WITHOUT = """
import builtins, os, signal, sys
import asyncio, distributed, docker, filelock, h5py, multiprocessing, prefect, psutil, tempfile
import uvicorn
import imagecodecs, matplotlib.pyplot, numba, pandas, rich.progress, skimage, tifffile, zarr
import prefect.flow_engine, prefect.task_engine, prefect.task_runners

ROOMS = ("command", "annotation", "flows", "tasks", "containers", "ilpix")
MISSING = {"fcntl", "grp", "pwd", "pty", "resource", "syslog", "termios", "tty"}
ordinary = builtins.__import__

def refusing(name, globals=None, *rest, **others):
    asking = (globals or {}).get("__name__", "").partition(".")[0]
    if asking in ROOMS and name.partition(".")[0] in MISSING:
        raise ModuleNotFoundError(f"No module named {name!r}")
    return ordinary(name, globals, *rest, **others)

builtins.__import__ = refusing
for name in ("chown", "fork", "getgid", "getuid", "killpg", "memfd_create", "mkfifo",
             "sched_getaffinity", "setsid", "statvfs"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGHUP", "SIGKILL", "SIGUSR1", "pthread_kill"):
    delattr(signal, name)
sys.platform = "win32"
"""
CLASSIFY = """
from pathlib import Path
import flows
folder = Path(sys.argv[1])
step = sys.argv[2]
if step == "prepare":
    flows.prepare(folder, flows.PrepareOptions(cropsize=60, seed=SEED))
else:
    flows.train(folder, flows.TrainOptions(features="fast", labels=Path(LABELS), quality=False))
    flows.run(folder)
import annotation.serving, command.cli, containers.lease, containers.predict, flows.running.jobs
"""


def run(folder: Path, step: str) -> None:
    names = f"SEED, LABELS = {SEED}, {str(LABELS)!r}\n"
    program = names + WITHOUT + CLASSIFY
    done = subprocess.run(
        [sys.executable, "-c", program, folder, step],
        env=os.environ | {"PREFECT_API_URL": PREFECT_API_URL.value()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_images_become_probabilities_without_what_windows_lacks(
    prefect_server: None, tmp_path: Path
) -> None:
    """`fcntl` was imported at the start, so that there was no program on Windows."""
    write_example(tmp_path)
    run(tmp_path, "prepare")
    write_labels_of_a_person(tmp_path, PrepareOptions(cropsize=60, seed=SEED))
    run(tmp_path, "train")
    results = sorted((tmp_path / "ilastik_probabilities").glob("*.tiff"))
    assert len(results) == 5
    for result in results:
        shares = tifffile.imread(result).astype(float)
        np.testing.assert_allclose(shares.sum(-1), 65535, atol=3)
