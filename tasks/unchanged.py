"""What a task computes is what its key names: its inputs are compared between digest and use."""

from collections.abc import Iterable
from pathlib import Path

from prefect.context import TaskRunContext
from prefect.transactions import get_transaction

from ilpix.errors import IlpixError
from tasks.caching import ContentPolicy, results_folder


class InputChangedError(IlpixError):
    """Somebody changed a file while a task read it."""

    names: tuple[str, ...]  # of the files that the task reads

    def __str__(self) -> str:
        return (
            f"{', '.join(self.names)} changed while being read; "
            "run the same again when nobody writes there"
        )


def require_unchanged_inputs(discard: Iterable[Path] = (), known_as: str | None = None) -> None:
    """Make sure, at its end, that the inputs of the task run are still what its key names.

    Args:
        discard: outputs, which are removed where an input has changed.
        known_as: the key when the inputs were read, where that was before the task run.

    Raises:
        InputChangedError: if an input has changed.
    """
    context, transaction = TaskRunContext.get(), get_transaction()
    known_as = known_as or (transaction.key if transaction else None)
    if context is None or known_as is None:  # a plain call, or nothing is remembered of it
        return
    policy = context.task.cache_policy
    if not isinstance(policy, ContentPolicy):
        return
    inputs, results = context.parameters, results_folder(context)
    try:
        key = policy.key(context.task.name, inputs, results)
    except OSError:  # an input is gone
        key = ""
    if key != known_as:
        for path in discard:
            path.unlink(missing_ok=True)
        raise InputChangedError(policy.input_names(inputs))
