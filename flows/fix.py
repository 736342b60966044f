"""`fix`: an existing project and its crops are made to fit."""

import logging
from pathlib import Path

from flows.options import FixOptions
from flows.running.verb_flow import verb_flow
from flows.running.verb_run import VerbRun, running
from flows.showing.artifacts import show_table
from ilpix.repair.applying import finish_interrupted_fix
from ilpix.repair.plan import FixPlan, plan_fix
from ilpix.wording import NOTHING_TO_DO, counted
from tasks.fixing import fix_project, rescue

_log = logging.getLogger(__name__)


@verb_flow(name="fix", flow_run_name="fix-{data_dir.name}")
def fix(data_dir: Path = Path(), options: FixOptions = FixOptions()) -> Path:
    """Make an existing project and its crops fit, as steinbock does.

    Args:
        data_dir: the folder that holds project and crops.
        options: which project and crops, and whether the old ones are kept.

    Returns:
        The project; with `rescue` the new one.

    Raises:
        FixRefusedError: if something does not match, or a rescue would replace a file; nothing is
            changed.
        IlpixError: if the project cannot be read.
    """
    with running("fix", data_dir, options) as run:
        project = run.path(options.ilp)
        if options.rescue:
            return _rescue(run, project, run.path(options.rescue))
        if not options.dry_run and finish_interrupted_fix(project):
            _log.warning("%s: a fix that had been interrupted was finished first", project)
        plan = plan_fix(
            project,
            run.path(options.crop),
            run.path(options.probabs),
            options.axisorder,
            partial=options.partial,
        )
        run.notes["plan"] = _table_of(plan)
        show_table("fix-plan", run.data_dir, run.notes["plan"], "what is changed, lane by lane")
        run.notes["summary"] = _told(plan, is_planned=options.dry_run)
        if plan.removed_labels:
            _log.warning("%s", plan.removed_labels)
        if not options.dry_run and (plan.is_needed or plan.problems):
            fix_project(plan, backup=options.backup)
    return project


def _told(plan: FixPlan, *, is_planned: bool) -> str:
    if plan.problems and not plan.partial:
        return f"{counted(len(plan.problems), 'problem')}, nothing would change"
    if not plan.is_needed:
        return NOTHING_TO_DO
    return f"{'would change ' if is_planned else ''}{plan.summary}"


def _rescue(run: VerbRun, project: Path, target: Path) -> Path:
    written = rescue(project, target)
    run.notes["plan"] = written.facts["lost"]
    run.notes["summary"] = written.facts["summary"]
    show_table("rescue", run.data_dir, run.notes["plan"], "what is missing")
    return target


def _table_of(plan: FixPlan) -> list[dict[str, str]]:
    return [
        {
            "lane": row.lane,
            "crop": row.crop,
            "what": row.what,
            "problem": "yes" if row.is_problem else "",
        }
        for row in plan.rows
    ]
