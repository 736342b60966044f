"""Signals are told once and end a command, whatever holds it."""

import signal
import subprocess
import sys

import pytest

HELD = """
import ctypes, signal
from command.ending import end_soon_after_signals
end_soon_after_signals(grace_s=0.2)
for how in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:  # before the lock is held they do nothing
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
STARTING = """
import sys, time
from command.__main__ import main
class Slow:
    def find_spec(self, name, *_):
        if name == "pydantic":
            print("importing", flush=True)
            time.sleep(60)
sys.meta_path.insert(0, Slow())
main()
"""
SIGNS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FREE = """
import os, time
from command.ending import Interrupted, end_soon_after_signals
end_soon_after_signals(grace_s=60)
try:
    print("free", flush=True)
    time.sleep(60)
except Interrupted as interrupted:
    os.kill(os.getpid(), IMPATIENT)
    time.sleep(0.1)  # a second one would be raised here
    raise SystemExit(interrupted.exit_code)
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


@pytest.mark.parametrize("how", SIGNS)
def test_a_thread_that_never_comes_back_does_not_change_the_exit_code(how: signal.Signals) -> None:
    code, said = end_of(THREAD_HELD, how)
    assert code == 128 + how
    assert "does not come back" in said


@pytest.mark.parametrize("how", SIGNS)
def test_a_command_whose_threads_are_all_held_is_killed(how: signal.Signals) -> None:
    code, said = end_of(HELD, how)
    assert code == -signal.SIGKILL
    assert "does not come back" in said


@pytest.mark.parametrize("how", SIGNS)
def test_a_command_that_ends_by_itself_is_told_once(how: signal.Signals) -> None:
    program = FREE.replace("IMPATIENT", str(int(signal.SIGINT)))
    assert end_of(program, how) == (128 + how, "")


def test_a_signal_that_is_ignored_stays_so() -> None:
    """`nohup` ignores SIGHUP, and a shell SIGINT of what it starts in the background."""
    ignoring = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    program = ignoring + FREE.replace("IMPATIENT", "signal.SIGHUP").replace("sleep(60)", "sleep(1)")
    assert end_of(program, signal.SIGHUP) == (0, "")


@pytest.mark.parametrize("how", SIGNS)
def test_a_command_that_is_interrupted_at_its_start_says_what_is_kept(how: signal.Signals) -> None:
    """Importing takes a second, and its traceback was all that was said of it."""
    assert end_of(STARTING, how) == (
        128 + how,
        "interrupted; what was finished is kept, run the same again to go on\n",
    )
