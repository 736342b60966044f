"""Carry out a verb: what is said before, meanwhile and after, and the exit code."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from pydantic import ValidationError

from command import console
from command.early import refuse_early
from command.first_line import RECORDED, first_line
from command.starting import start_prefect
from command.tables import print_failures, print_summary
from command.wrong_values import wrong_values
from flows.errors import ImagesFailedError
from flows.running.manifest import read_manifest
from ilpix.errors import IlpixError


@Parameter(name="*")
@dataclass(frozen=True)
class Output:
    """Where a verb works and how much it says."""

    data_dir: Annotated[Path, Parameter(alias="-C")] = Path()
    "the folder that holds img, panel.csv and all results"
    quiet: Annotated[bool, Parameter(alias="-q", negative="")] = False
    "errors only"
    verbose: Annotated[bool, Parameter(alias="-v", negative="")] = False
    "everything, the logs of Prefect included"
    json: Annotated[bool, Parameter(negative="")] = False
    "what became of each image, as JSON on standard output"

    @property
    def loudness(self) -> console.Loudness:
        """How much is said."""
        return "quiet" if self.quiet else "verbose" if self.verbose else "normal"


@dataclass
class Ended:
    """How a verb ended."""

    code: int = 0
    stopped: bool = False  # by an error that concerns more than single images


@contextmanager
def plain_errors() -> Iterator[Ended]:
    """Turn errors into a message and an exit code."""
    ended = Ended()
    try:
        yield ended
    except ImagesFailedError as error:
        ended.code = 1
        print_failures(error)
    except IlpixError as error:
        ended.code, ended.stopped = 1, True
        console.print_error(str(error))
    except ValidationError as error:
        ended.code, ended.stopped = 2, True
        console.print_error("\n".join(wrong_values(error)))


def carry_out(
    verb: str,
    output: Output,
    options: object,
    work: Callable[[], object],
    tell: Callable[[], None] = lambda: None,
) -> int:
    """Show progress, and in the end what became of the images; return the exit code.

    Args:
        verb: what is done.
        output: where, and how much is said of it.
        options: what of it can be looked at before anything begins.
        work: the flow.
        tell: what came of it, when it has ended well.
    """
    began = datetime.now(UTC)
    if not output.quiet:
        console.print_notice(first_line(verb, output.data_dir))
    try:
        with plain_errors() as ended:
            if options is not None:
                refuse_early(output.data_dir, options)
            with console.moving(output.loudness) as line:
                start_prefect(verb)
                from flows.running.quiet import quiet_prefect  # noqa: PLC0415 - imports Prefect

                prefect_level = logging.INFO if output.verbose else logging.CRITICAL
                with console.showing_progress(output.loudness, line), quiet_prefect(prefect_level):
                    work()
            if not output.json:
                tell()
    except KeyboardInterrupt:
        with suppress(OSError):  # the terminal may be gone
            _tell(verb, output, began, Ended(code=1))
        raise
    _tell(verb, output, began, ended)
    return ended.code


def _tell(verb: str, output: Output, began: datetime, ended: Ended) -> None:
    record = read_manifest(output.data_dir).verbs.get(RECORDED.get(verb, verb))
    if not record or record.started < began:
        return
    from command.next_steps import next_step, results  # noqa: PLC0415 - HDF5

    if output.json:
        console.print_json(record.model_dump(mode="json"))
    elif not ended.stopped and not output.quiet:
        print_summary(record)
        console.print_lines(results(record, output.data_dir))
        if not ended.code and (step := next_step(record, output.data_dir)):
            console.print_lines([("next", step)])
