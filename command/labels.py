"""`ilpix labels`: label layers between a project and label images."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from command import console
from command.carrying_out import plain_errors
from command.given import DataDir, Project, require_folder, same_again
from ilpix.data_directory import PROJECT
from ilpix.errors import name_some
from ilpix.wording import counted

app = App(name="labels", help="Label layers between project and label images.")


@app.command
def export(folder: Path, /, *, ilp: Project = PROJECT, data_dir: DataDir = Path()) -> int:
    """Write the labels of every crop as a label image (uint8 TIFF, 0 = unlabelled).

    Parameters
    ----------
    folder
        where the label images go
    ilp
        the project
    data_dir
        the folder that holds them, unless their paths are absolute
    """
    from ilpix.project.label_images import export_labels  # noqa: PLC0415 - HDF5

    with plain_errors() as ended:
        require_folder(data_dir)
        names = [path.name for path in export_labels(data_dir / ilp, data_dir / folder)]
        console.print_lines(
            [(f"{counted(len(names), 'label image')} in {data_dir / folder}", name_some(names))]
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
    data_dir: DataDir = Path(),
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
    data_dir
        the folder that holds them, unless their paths are absolute
    """
    from ilpix.project.label_images import import_labels  # noqa: PLC0415 - HDF5
    from ilpix.project.work import tell_counts  # noqa: PLC0415 - HDF5

    with plain_errors() as ended:
        require_folder(data_dir)
        path, folder = data_dir / ilp, data_dir / source
        imported = import_labels(path, folder, clear=clear, overlapping=overlapping)
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
            outside = f"{counted(imported.n_outside, 'labelled pixel')}, still in {folder}"
            console.print_lines([("in no crop of the project", outside)])
        if imported.backup:
            console.print_lines([("kept as it was", str(imported.backup))])
        step = f"ilpix train{same_again(data_dir, ilp)}"
        console.print_lines([("project", str(path)), ("next", step)])
    return ended.code
