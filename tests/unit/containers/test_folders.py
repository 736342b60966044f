"""Who runs in a container owns the folder of the outputs, or a sentence says why not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

GIVE = "import sys; from pathlib import Path; from containers.predict import give_folder; "


@pytest.mark.skipif(
    sys.platform != "linux" or os.getuid() != 0 or not shutil.which("setpriv"),
    reason="needs root on Linux, and setpriv",
)
def test_root_without_the_right_to_give_files_away_is_told_what_to_do(tmp_path: Path) -> None:
    """As in a container of a pool whose user is 0:0: it said "Operation not permitted"."""
    give = [sys.executable, "-c", GIVE + "give_folder(Path(sys.argv[1]), '1000:1000')", tmp_path]
    deprived = ["setpriv", "--bounding-set=-chown", *give]
    done = subprocess.run(deprived, capture_output=True, text=True, check=False)
    said = done.stderr.splitlines()[-1]
    assert said.startswith(f"containers.errors.FolderNotGivenError: {tmp_path} cannot be given to")
    assert "set User to UID:GID of the owner" in said
    subprocess.run(give, check=True)
    assert (tmp_path.stat().st_uid, tmp_path.stat().st_gid) == (1000, 1000)
