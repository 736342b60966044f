"""`ilpix labels`: label layers between a project and label images."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from command import console
from command.carrying_out import plain_errors
from ilpix.data_directory import PROJECT
from ilpix.errors import name_some
from ilpix.wording import counted

Project = Annotated[Path, Parameter(alias="-p")]

app = App(name="labels", help="Label layers between project and label images.")


@app.command
def export(folder: Path, /, *, ilp: Project = PROJECT) -> int:
    """Write the labels of every crop as a label image (uint8 TIFF, 0 = unlabelled).

    Parameters
    ----------
    folder
        where the label images go
    ilp
        the project
    """
    from ilpix.project.label_images import export_labels  # noqa: PLC0415 - HDF5

    with plain_errors() as ended:
        names = [path.name for path in export_labels(ilp, folder)]
        console.print_lines(
            [(f"{counted(len(names), 'label image')} in {folder}", name_some(names))]
        )
    return ended.code


@app.command(name="import")
def import_(
    source: Path,
    /,
    *,
    ilp: Project = PROJECT,
    clear: Annotated[bool, Parameter(negative="")] = False,
    overlapping: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Store label images, or a table of points, in a project; only the crops they name change.

    Parameters
    ----------
    source
        folder of label images named like the crops, or a CSV table with crop, y, x, label
    ilp
        the project
    clear
        an empty label image takes the labels of its crop away; else it is an error
    overlapping
        the label images may be of other crops of the same images, as after another seed or crop
        size; labels are taken where they lie in a crop that has none there
    """
    from ilpix.project.label_images import import_labels  # noqa: PLC0415 - HDF5
    from ilpix.project.work import tell_counts  # noqa: PLC0415 - HDF5

    with plain_errors() as ended:
        imported = import_labels(ilp, source, clear=clear, overlapping=overlapping)
        console.print_lines(
            [
                (
                    f"labels stored for {counted(len(imported.crops), 'crop')}",
                    name_some(imported.crops),
                )
            ]
        )
        console.say(tell_counts(imported.before, imported.after))
        if imported.n_outside:
            outside = f"{counted(imported.n_outside, 'labelled pixel')}, still in {source}"
            console.print_lines([("in no crop of the project", outside)])
        if imported.backup:
            console.print_lines([("kept as it was", str(imported.backup))])
        given = "" if ilp == PROJECT else f" --ilp {ilp}"
        console.print_lines([("project", str(ilp)), ("next", f"ilpix train{given}")])
    return ended.code
