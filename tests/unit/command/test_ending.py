"""Signals end a command that is held by a library, and are left to a command that is not."""

import signal
import subprocess
import sys

import pytest

HELD = """
import ctypes, signal
from command.ending import end_soon_after_signals
end_soon_after_signals(grace_s=0.2)
for how in (signal.SIGINT, signal.SIGTERM):  # what comes before the lock is held changes nothing
    signal.signal(how, lambda *_: None)
library, lock = ctypes.PyDLL(None), ctypes.create_string_buffer(256)
library.pthread_mutex_lock(lock)
print("held", flush=True)
library.pthread_mutex_lock(lock)  # for ever, and no other thread of Python runs
"""
THREAD_HELD = """
import threading, time
from concurrent.futures import ThreadPoolExecutor
from command.ending import end_soon_after_signals
end_soon_after_signals(grace_s=0.2)
with ThreadPoolExecutor() as pool:
    pool.submit(threading.Event().wait)
    print("held", flush=True)
    time.sleep(60)
"""
FREE = """
import time
from command.ending import end_soon_after_signals
end_soon_after_signals(grace_s=60)
try:
    print("free", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    raise SystemExit(130)
"""


def end_of(program: str, how: signal.Signals) -> tuple[int, str]:
    """The exit code and the last words of a program that gets a signal."""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


@pytest.mark.parametrize("program", [HELD, THREAD_HELD])
def test_a_command_that_a_library_holds_ends_by_ctrl_c(program: str) -> None:
    code, said = end_of(program, signal.SIGINT)
    assert code == -signal.SIGKILL
    assert "it was killed" in said


def test_a_command_that_a_library_holds_ends_by_sigterm() -> None:
    assert end_of(HELD, signal.SIGTERM)[0] == -signal.SIGKILL


def test_a_command_that_ends_by_itself_keeps_its_exit_code() -> None:
    assert end_of(FREE, signal.SIGINT) == (130, "")
