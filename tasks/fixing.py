"""A project and its crops made to fit: planned before, applied whole or not at all."""

from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from ilpix.repair.applying import apply_fix
from ilpix.repair.plan import FixPlan
from ilpix.repair.rescue import rescue_project
from tasks.records import FilesWritten, files_written


@task(name="fix-project", cache_policy=NO_CACHE)
def fix_project(plan: FixPlan, *, backup: bool) -> FilesWritten:
    """Apply a plan; a second run with nothing left to do changes nothing."""
    apply_fix(plan, backup=backup)
    return files_written(plan.project_path)


@task(name="rescue-project", cache_policy=NO_CACHE)
def rescue(project: Path, target: Path) -> FilesWritten:
    """Make a new project of what a damaged one still holds."""
    rescued = rescue_project(project, target)
    lost = [{"where": problem.where, "what": problem.what} for problem in rescued.lost]
    return files_written(target, summary=rescued.summary, lost=lost)
