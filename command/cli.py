"""The command line: `ilpix VERB`, one function a verb.

Exit codes: 0 where every image succeeded, 1 where something failed, 2 for wrong usage,
128 and the number of the signal after one: 130 after Ctrl-C.
"""

import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

import flows
from command import console, crops, gui, labels, pruning
from command.carrying_out import Output, carry_out, plain_errors
from command.early import refuse_early
from command.first_line import first_line
from command.given import AllSteps, DataDir, OutputFolder, Port, require_folder
from command.help_words import PlainHelp, shown_default
from command.server import ServerNotStartedError
from command.steinbock_words import in_our_words
from command.tables import print_findings, print_plan, print_rows
from command.usage import usage_message
from flows.errors import TrainingNeededError
from flows.running.manifest import read_manifest
from flows.settings import list_settings
from ilpix.checks.findings import has_errors
from ilpix.data_directory import PROJECT

app = App(
    name="ilpix",
    help="Pixel classification of multiplexed tissue images with Ilastik's own numbers.",
    help_format="markdown",
    version=lambda: version("ilpix"),
    result_action="return_value",
    suppress_keyboard_interrupt=False,  # ours to tell
    help_formatter=PlainHelp(),
    default_parameter=Parameter(negative_iterable=(), show_default=shown_default),
)

AS_THEY_ARE_USED = (
    "demo", "import", "prepare", "annotate", "gui", "crops", "labels", "train", "check", "run",
    "classify", "show", "fix", "prune", "settings",
)  # fmt: skip
Flat = Parameter(name="*")  # the fields of a model are flags of the verb


@app.command
def prepare(
    *,
    options: Annotated[flows.PrepareOptions, Flat] = flows.PrepareOptions(),
    output: Output = Output(),
) -> int:
    """Turn images and panel into prepared images, crops to label and an Ilastik project."""
    return carry_out("prepare", output, options, lambda: flows.prepare(output.data_dir, options))


@app.command(name="import")
def import_raw(
    raw: Path | None = None,
    /,
    *,
    options: Annotated[flows.ImportOptions, Flat] = flows.ImportOptions(),
    output: Output = Output(),
) -> int:
    """Turn raw imaging mass cytometry (MCD, TXT, ZIP) into images and a panel.

    Parameters
    ----------
    raw
        the folder of the raw files, if it is another one than --raw
    """
    options = options.model_copy(update={"raw": raw} if raw else {})
    return carry_out("import", output, options, lambda: flows.import_raw(output.data_dir, options))


@app.command
def train(
    *,
    options: Annotated[flows.TrainOptions, Flat] = flows.TrainOptions(),
    output: Output = Output(),
) -> int:
    """Train the classifier of a project from labels, without a window."""
    return carry_out("train", output, options, lambda: flows.train(output.data_dir, options))


@app.command
def run(
    *,
    options: Annotated[flows.RunOptions, Flat] = flows.RunOptions(),
    output: Output = Output(),
) -> int:
    """Predict the class probabilities of every prepared image with a trained project."""
    return carry_out("run", output, options, lambda: flows.run(output.data_dir, options))


@app.command
def fix(
    *,
    options: Annotated[flows.FixOptions, Flat] = flows.FixOptions(),
    output: Output = Output(),
) -> int:
    """Make an existing project and its crops fit; --dry-run shows what would change."""

    def tell() -> None:
        plan = read_manifest(output.data_dir).verbs["fix"].notes["plan"]
        if options.rescue:
            print_rows("missing", plan)
        else:
            print_plan("plan" if options.dry_run else "fixed", plan)

    return carry_out("fix", output, options, lambda: flows.fix(output.data_dir, options), tell)


@app.command
def check(
    *,
    options: Annotated[flows.CheckOptions, Flat] = flows.CheckOptions(),
    output: Output = Output(),
) -> int:
    """List everything that is wrong with a project and prepared images; change nothing."""
    if not (output.quiet or output.json):
        console.print_notice(first_line("check", output.data_dir))
    with plain_errors() as ended:
        refuse_early(output.data_dir, options)
        from flows.check import rows_of  # noqa: PLC0415 - imports Prefect

        with console.moving(output.loudness):
            findings = flows.check.fn(output.data_dir, options)  # without a server: no record
        ended.code = int(has_errors(findings))
        if output.json:
            console.print_json(rows_of(findings))
        elif findings:
            print_findings("check", rows_of(findings))
        elif not output.quiet:
            console.say("check: all is well")
    return ended.code


@app.command
def show(
    project: Path = PROJECT,
    /,
    *,
    json: Annotated[bool, Parameter(negative="")] = False,
    data_dir: DataDir = Path(),
) -> int:
    """Say what is in a project: classes, labels, crops, features, forests, what matters most.

    Parameters
    ----------
    project
        an .ilp file
    json
        the same, as JSON on standard output
    data_dir
        the folder that holds it, unless its path is absolute
    """
    with plain_errors() as ended:
        from command.project_summary import print_project  # noqa: PLC0415 - HDF5
        from ilpix.project.reading import read_project  # noqa: PLC0415 - HDF5
        from ilpix.project.summary import summarise  # noqa: PLC0415 - HDF5

        require_folder(data_dir)
        summary = summarise(read_project(data_dir / project))
        if json:
            console.print_json(asdict(summary))
        else:
            print_project(summary)
    return ended.code


@app.command
def classify(
    *,
    preparing: Annotated[flows.PrepareOptions, Parameter(name="prepare")] = flows.PrepareOptions(),
    training: Annotated[flows.TrainOptions, Parameter(name="train")] = flows.TrainOptions(),
    predicting: Annotated[flows.RunOptions, Parameter(name="run")] = flows.RunOptions(),
    wait: Annotated[bool, Parameter(negative="")] = False,
    output: Output = Output(),
) -> int:
    """Prepare, train or say how to, and predict; flags of a step begin with its name.

    Parameters
    ----------
    wait
        where somebody has to train in Ilastik, watch the project and go on when it is saved
    """

    def classify_or_wait() -> None:
        try:
            flows.classify(output.data_dir, preparing, training, predicting)
        except TrainingNeededError as error:
            if not wait:
                raise
            console.print_notice(f"{error}\nWaiting until {error.project} is trained and saved …")
            from command.watching import wait_until_trained  # noqa: PLC0415 - HDF5

            wait_until_trained(error.project)
            flows.classify(output.data_dir, preparing, training, predicting)

    steps = AllSteps(preparing, training, predicting)
    return carry_out("classify", output, steps, classify_or_wait)


@app.command
def annotate(
    *,
    ilp: Annotated[Path, Parameter(name=("--ilp", "--project"), alias="-p")] = PROJECT,
    port: Port = 0,
    browser: Annotated[bool, Parameter(negative="--no-browser")] = True,
    data_dir: DataDir = Path(),
) -> int:
    """Label crops in the browser and see the prediction after each stroke; Ctrl-C ends it.

    Parameters
    ----------
    ilp
        the project, in the data directory unless absolute
    port
        of the page on this machine; 0 for any that is free
    browser
        open the page
    data_dir
        the folder that holds prepared images, crops and project
    """
    from annotation import serving  # noqa: PLC0415 - no other verb needs it

    with plain_errors() as ended:
        serving.annotate(data_dir, ilp, port, console.print_notice, opens_browser=browser)
    return ended.code


@app.command
def demo(folder: OutputFolder = Path("demo"), /) -> int:
    """Classify synthetic tissue in a new folder, from images to probabilities.

    Parameters
    ----------
    folder
        made where it is missing
    """
    shares: list[float] = []

    def classify_tissue() -> None:
        from command.demo import demo as demo_flows  # noqa: PLC0415 - imports Prefect

        shares.append(demo_flows(folder))

    def tell() -> None:
        console.say(f"{100 * shares[0]:.1f} % of all pixels have the right class")

    return carry_out("demo", Output(data_dir=folder), None, classify_tissue, tell)


app.command(labels.app)
app.command(crops.app)
app.command(pruning.prune)
app.command(gui.gui)


@app.command(name="settings")
def show_settings() -> int:
    """List every machine setting, its value and where it comes from."""
    with plain_errors() as ended:
        for variable, value, source, description in list_settings(flows.Settings()):
            told = "not set" if value in {None, ()} else f"{value} ({source})"
            console.say(f"{variable}: {told}; {description}")
    return ended.code


for place, verb in enumerate(AS_THEY_ARE_USED):
    app[verb].sort_key = place


def main() -> None:
    """Run the command line; the exit code is 2 for wrong usage."""
    try:
        words = [*in_our_words(sys.argv[1:])]
        sys.exit(app(words, exit_on_error=False, print_error=False))
    except CycloptsError as error:
        console.print_error(usage_message(error, app))
        sys.exit(2)
    except ServerNotStartedError as error:
        console.print_error(str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
