"""`ilpix crops`: the parts of images that are labelled, for other programs."""

from pathlib import Path
from shlex import quote
from typing import Annotated, Literal

from cyclopts import App, Parameter

from command import console
from command.carrying_out import plain_errors
from command.given import DataDir, Project, require_folder, same_again
from ilpix.data_directory import PROJECT
from ilpix.errors import name_some
from ilpix.wording import counted

app = App(name="crops", help="The crops of a project, for programs in which labels are painted.")


@app.command
def export(
    folder: Path,
    /,
    *,
    ilp: Project = PROJECT,
    as_: Annotated[Literal["tiff", "png"], Parameter(name="--format")] = "tiff",
    data_dir: DataDir = Path(),
) -> int:
    """Write every crop as a picture that other programs open, and a label image for each.

    Parameters
    ----------
    folder
        gets crops/ and labels/; labels that a project holds are in the label images
    ilp
        the project
    as_
        tiff: all channels, with names and contrast, for Fiji, napari, QuPath; png: three channels
        as red, green and blue, and label images in the colours of the classes
    data_dir
        the folder that holds them, unless their paths are absolute
    """
    from ilpix.project.painting import LABELS, export_crops  # noqa: PLC0415 - HDF5
    from ilpix.project.reading import read_project  # noqa: PLC0415 - HDF5

    with plain_errors() as ended:
        require_folder(data_dir)
        project = data_dir / ilp
        exported = export_crops(project, data_dir / folder, as_)
        for what, paths in (("crop", exported.crops), ("label image", exported.labels)):
            told = f"{counted(len(paths), what)} in {paths[0].parent}"
            console.print_lines([(told, name_some([path.name for path in paths]))])
        classes = enumerate(read_project(project).classes, 1)
        values = ("0 no label", *(f"{value} {one.name}" for value, one in classes))
        step = f"ilpix train{same_again(data_dir, ilp)} --labels {quote(str(folder / LABELS))}"
        console.print_lines([("paint", ", ".join(values)), ("next", step)])
    return ended.code
