"""`ilpix gui`: a project in Ilastik itself."""

from pathlib import Path
from threading import Event
from typing import Annotated

from cyclopts import Parameter

from command import console
from command.carrying_out import plain_errors
from command.given import DataDir, Project, require_folder
from containers.local_gui import GuiSettings, find_local_ilastik, open_local_gui
from flows.running.progress import tell_pull
from ilpix.data_directory import PROJECT


def gui(
    *further: str,
    ilp: Project = PROJECT,
    data_dir: DataDir = Path(),
    settings: Annotated[GuiSettings, Parameter(name="*")] = GuiSettings(),
) -> int:
    """Open a project in Ilastik to label and train by hand: a local one, else in the browser.

    Parameters
    ----------
    further
        what a local Ilastik is told besides, behind --
    ilp
        the project
    data_dir
        the folder that holds it, unless its path is absolute
    """
    with plain_errors() as ended:
        require_folder(data_dir)
        project = data_dir / ilp
        program = find_local_ilastik(settings.program)
        if program:
            console.print_notice(f"{project} is opened in {program}")
            ended.code = open_local_gui(program, project, further)
        else:
            from containers.gui import open_gui_in_browser  # noqa: PLC0415 - imports Docker's SDK

            pulling = tell_pull(settings.image, console.print_notice)
            open_gui_in_browser(project, settings, console.print_notice, Event(), pulling)
    return ended.code
