"""What is told of a pull, and of work that takes long within one image."""

import pytest
from rich.console import Console

from containers.pulls import PullProgress
from flows.running.moving_line import MovingLine
from flows.running.progress import BarDisplay, LogDisplay, tell_pull
from ilpix.training.phases import Phase


def test_pull_is_told_at_its_start_and_end_and_not_at_every_block() -> None:
    lines: list[str] = []
    tell = tell_pull("lab/ilastik:1", lines.append)
    for done in range(0, 3_000_000_001, 1_000_000):
        tell(PullProgress(done, 3_000_000_000, 4))
    assert lines[0] == "pulling lab/ilastik:1: 0 of 3000 MB"
    assert lines[-1] == "pulling lab/ilastik:1: 3000 of 3000 MB"
    assert len(lines) < 100


def test_a_log_names_each_stage_and_few_of_its_parts(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"), LogDisplay().step("train", 1) as step:
        for stage in ("features", "judging"):
            for k in range(100):
                step.tell(Phase(stage, f"{stage} of crop {k + 1} of 100", k / 100))
        step.advance("p.ilp")
    assert caplog.messages == [
        "train: features of crop 1 of 100",
        "train: judging of crop 1 of 100",
        "train 1/1 p.ilp",
    ]


def test_a_terminal_shows_the_phase_and_in_the_end_the_image() -> None:
    console = Console(force_terminal=True, width=80)
    with (
        console.capture() as shown,
        BarDisplay(console, MovingLine("", console)).step("train", 1) as step,
    ):
        step.tell(Phase("judging", "judging crop 3 of 4", 0.5))
        step.progress.refresh()
        step.advance("p.ilp")
    text = shown.get()
    assert "50%" in text
    assert "judging crop 3 of 4" in text
    assert "1/1" in text
