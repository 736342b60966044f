"""Five hundred mutated files, the same in every run; CONTRIBUTING.md says how to read more."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def test_mutated_files_are_refused_or_read_rightly() -> None:
    """In processes of their own: no hang, no crash, no foreign error, no gigabytes, nothing run."""
    words = [sys.executable, "-m", "tests.hostile.fuzz", "500", "--seed", "1"]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert "| all | 500 |" in done.stdout
