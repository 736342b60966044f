"""What is told of a pull."""

from containers.images import PullProgress
from flows.running.progress import tell_pull


def test_pull_is_told_at_its_start_and_end_and_not_at_every_block() -> None:
    lines: list[str] = []
    tell = tell_pull("lab/ilastik:1", lines.append)
    for done in range(0, 3_000_000_001, 1_000_000):
        tell(PullProgress(done, 3_000_000_000, 4))
    assert lines[0] == "pulling lab/ilastik:1: 0 of 3000 MB"
    assert lines[-1] == "pulling lab/ilastik:1: 3000 of 3000 MB"
    assert len(lines) < 100
