"""Which engine a run uses, from its options and the machine's settings."""

from flows.options import RunOptions
from flows.verb_run import VerbRun
from tasks.engines import EmbeddedEngine, Engine


def choose_engine(verb_run: VerbRun, options: RunOptions, n_images: int) -> Engine:
    """Build the engine of a run and note it for the manifest."""
    width = verb_run.width(n_images)
    engine = EmbeddedEngine(threads=options.threads or width.threads)
    verb_run.notes["engine"] = engine.identity
    return engine
