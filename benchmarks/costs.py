"""What something takes: seconds, CPU seconds of all its threads, peak memory."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

REPOSITORY = Path(__file__).parents[1]

# small itself, so that the peak is that of the program, or of a larger one that it started
LAUNCHER = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
seconds = time.perf_counter() - began
if done.returncode != int(sys.argv[1]):
    sys.exit(f"exit code {done.returncode}: {done.stdout.decode(errors='replace')[-2000:]}")
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


@dataclass(frozen=True)
class Cost:
    """What something took."""

    seconds: float
    cpu_seconds: float  # of all threads; comparable on a busy machine as well
    peak_mb: float | None = None  # of the largest process; None where it was not looked at


Work = Callable[[], Cost]


class ProgramFailedError(Exception):
    """A program that is measured did not end as it should."""


def program_cost(
    words: Sequence[str | Path], environment: Mapping[str, str], exit_code: int = 0
) -> Cost:
    """Run a program in the repository; those that it waits for count as well.

    Raises:
        ProgramFailedError: if it ends with another exit code.
    """
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(exit_code), *words]
    return Cost(*json.loads(_output(launcher, environment)))


def told_cost(words: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Cost:
    """Run a program whose last line is what it took, in JSON.

    Raises:
        ProgramFailedError: if it fails.
    """
    return Cost(**json.loads(_output(words, environment).splitlines()[-1]))


def own_cost(work: Callable[[], object]) -> Cost:
    """Call something in this process."""
    began, cpu_began = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - began, time.process_time() - cpu_began)


def middle(costs: Iterable[Cost]) -> Cost:
    """Return the medians."""
    seconds, cpu_seconds, peaks = zip(
        *((cost.seconds, cost.cpu_seconds, cost.peak_mb) for cost in costs), strict=True
    )
    known = [peak for peak in peaks if peak is not None]
    return Cost(median(seconds), median(cpu_seconds), median(known) if known else None)


def peak_mb() -> float:
    """Peak resident memory of this process; `getrusage` would count its parent's as well."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _output(words: Sequence[str | Path], environment: Mapping[str, str] | None) -> str:
    done = subprocess.run(
        words, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ProgramFailedError(done.stderr.strip()[-2000:])
    return done.stdout
