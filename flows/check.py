"""`check`: whether project and prepared images fit, every problem at once, before a run."""

from pathlib import Path

from containers.presets import ilastik_version
from flows.engine_choice import engine_kind
from flows.errors import ImageMisfitError
from flows.options import CheckOptions
from flows.running.sources import find_gone, noted_sources, tell_gone
from flows.running.verb_flow import verb_flow
from flows.settings import Settings
from flows.showing.artifacts import show_table
from ilpix.checks.findings import Finding, merge
from ilpix.checks.image_checks import Expectation, check_image_fits
from ilpix.checks.project_checks import check_project
from ilpix.errors import IlpixError
from ilpix.project.reading import PixelProject
from tasks.describing import describe_file


@verb_flow(name="check", flow_run_name="check-{data_dir.name}")
def check(data_dir: Path = Path(), options: CheckOptions = CheckOptions()) -> tuple[Finding, ...]:
    """Look at a project and the prepared images, list every problem, change nothing.

    Args:
        data_dir: the folder that holds both.
        options: which project, which images, and what would predict them.

    Returns:
        What was found, errors first; nothing where all is well.
    """
    settings = Settings()
    findings = check_project(
        data_dir / options.ilp,
        data_dir / options.img,
        output_dir=data_dir / options.probabilities,
        ilastik_version=_version(options, settings),
    )
    findings = merge([*findings, *_find_gone(data_dir, options.img)])
    show_table("check-findings", data_dir, rows_of(findings), "what was found, errors first")
    return findings


def _find_gone(data_dir: Path, images: Path) -> list[Finding]:
    gone = find_gone(noted_sources(data_dir), data_dir, images)
    return [Finding("warning", "images", name, *what.split("; ")) for name, what in tell_gone(gone)]


def _version(options: CheckOptions, settings: Settings) -> str | None:
    """Return the version of Ilastik in the image that would predict, None where nothing tells."""
    images = {"docker": settings.container.image, "apptainer": settings.apptainer.image}
    image = images.get(engine_kind(options, settings))
    return ilastik_version((options.ilastik or image).removeprefix("docker://")) if image else None


def rows_of(findings: tuple[Finding, ...]) -> list[dict[str, str]]:
    """Return findings as a table."""
    return [
        {
            "severity": finding.severity,
            "topic": finding.topic,
            "where": finding.where,
            "what": finding.what,
            "advice": finding.advice,
        }
        for finding in findings
    ]


def look_at_image(
    image: Path, project: PixelProject, workspace: Path
) -> tuple[IlpixError | None, str | None]:
    """Look at a prepared image before anything is predicted from it.

    Args:
        image: a file.
        project: trained.
        workspace: the folder `.ilpix` of the data directory, which remembers what was seen.

    Returns:
        Why it must not be predicted with the project, None where it may; and what a person should
        know about how it is read.
    """
    wanted = Expectation(project.n_channels, project.record, project.features)
    try:
        header = describe_file(image, workspace, project.n_channels).header
    except IlpixError as error:
        return error, None
    findings = check_image_fits(image.name, header, wanted)
    errors = tuple(finding for finding in findings if finding.severity == "error")
    return ImageMisfitError(image, errors) if errors else None, header.note
