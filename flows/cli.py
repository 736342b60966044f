"""The command line: `ilpix VERB`, one function a verb.

Exit codes: 0 where every image succeeded, 1 where something failed, 2 for wrong usage.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from flows.quiet_prefect import apply_defaults

apply_defaults()  # before the first import of Prefect, which reads its settings once

from cyclopts import App, CycloptsError, Parameter  # noqa: E402
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings  # noqa: E402
from pydantic import ValidationError  # noqa: E402

from flows import console, options  # noqa: E402
from flows.errors import ImagesFailedError  # noqa: E402
from flows.manifest import read_manifest  # noqa: E402
from ilpix.errors import IlpixError  # noqa: E402

app = App(
    name="ilpix",
    help="Pixel classification of multiplexed tissue images with Ilastik's own numbers.",
    help_format="markdown",
    result_action="return_value",
)


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


Flat = Parameter(name="*")  # the fields of a model are flags of the verb


@app.command
def prepare(
    *,
    options: Annotated[options.PrepareOptions, Flat] = options.PrepareOptions(),
    output: Output = Output(),
) -> int:
    """Turn images and panel into prepared images, crops to label and an Ilastik project."""
    from flows.prepare import prepare as flow  # noqa: PLC0415 - each verb loads only what it needs

    with reporting("prepare", output) as ended:
        flow(output.data_dir, options)
    return ended.code


@app.command
def run(
    *,
    options: Annotated[options.RunOptions, Flat] = options.RunOptions(),
    output: Output = Output(),
) -> int:
    """Predict the class probabilities of every prepared image with a trained project."""
    from flows.run import run as flow  # noqa: PLC0415 - each verb loads only what it needs

    with reporting("run", output) as ended:
        flow(output.data_dir, options)
    return ended.code


@app.command
def train(
    *,
    options: Annotated[options.TrainOptions, Flat] = options.TrainOptions(),
    output: Output = Output(),
) -> int:
    """Train the classifier of a project from labels, without a window."""
    from flows.train import train as flow  # noqa: PLC0415 - each verb loads only what it needs

    with reporting("train", output) as ended:
        flow(output.data_dir, options)
    return ended.code


@dataclass
class Ended:
    """How a verb ended."""

    code: int = 0


@contextmanager
def reporting(verb: str, output: Output) -> Iterator[Ended]:
    """Show progress, and in the end what became of the images; turn errors into an exit code."""
    ended = Ended()
    with (
        console.showing_progress(output.loudness),
        temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}),
    ):
        try:
            yield ended
        except ImagesFailedError as error:
            ended.code = 1
            console.print_failures(error)
        except (IlpixError, ValidationError) as error:
            ended.code = 1
            console.print_error(str(error))
            return
    record = read_manifest(output.data_dir).verbs.get(verb)
    if output.json and record:
        console.print_json(record.model_dump(mode="json"))
    elif record and output.loudness != "quiet":
        console.print_summary(record)


def main() -> None:
    """Run the command line; the exit code is 2 for wrong usage and 130 after Ctrl-C."""
    try:
        sys.exit(app(exit_on_error=False, print_error=False))
    except CycloptsError as error:
        console.print_error(f"{console.usage_message(error)}\nilpix --help lists verbs and flags")
        sys.exit(2)
    except KeyboardInterrupt:
        console.print_error("interrupted; what was finished is kept, run the same again to go on")
        sys.exit(130)


if __name__ == "__main__":
    main()
