"""A project and its crops made to fit: planned before, applied whole or not at all."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from ilpix.repair.applying import apply_fix
from ilpix.repair.plan import FixPlan
from tasks.records import FilesWritten, files_written


@task(name="fix-project", cache_policy=NO_CACHE)
def fix_project(plan: FixPlan, *, backup: bool) -> FilesWritten:
    """Apply a plan; a second run with nothing left to do changes nothing."""
    apply_fix(plan, backup=backup)
    return files_written(plan.project_path)
