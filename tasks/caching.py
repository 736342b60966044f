"""Work is done once: keys made of content, and hits refused where an output is gone.

The key of a task run is the digest of the task's name, the version of its algorithm, its
parameters, and the name and content of each input file. Where outputs go is not part of it, only
what they are called: a data directory keeps its cache when it is renamed or copied, since records
lie in its own `.ilpix/results`.

A record is a hit only while every output named by the run is still there with the digest that was
recorded. Otherwise the record is removed before Prefect looks for it, and the task runs again.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import Task
from prefect.cache_policies import CachePolicy
from prefect.context import TaskRunContext
from prefect.filesystems import LocalFileSystem
from pydantic import BaseModel, TypeAdapter

from tasks.digests import DigestMemo
from tasks.records import FilesWritten, read_record

OUTPUTS = ("target", "targets")  # parameters of these names are files that a task writes

_anything = TypeAdapter(Any)
_log = logging.getLogger(__name__)


@dataclass
class ContentPolicy(CachePolicy):
    """Key task runs by the content of their files.

    Attributes:
        algorithm: version of what the task computes; raised when its output changes for the same
            input.
        without: parameters that do not change the output, such as the number of threads.
    """

    algorithm: int = 1
    without: tuple[str, ...] = ()

    def compute_key(
        self,
        task_ctx: TaskRunContext,
        inputs: dict[str, Any],
        flow_parameters: dict[str, Any],  # noqa: ARG002 - part of Prefect's signature
        **kwargs: Any,  # noqa: ARG002 - part of Prefect's signature
    ) -> str:
        """Return the key of a task run, after removing a record that no longer holds under it."""
        record = self._record(task_ctx.task.name, inputs, results_folder(task_ctx))
        if record.exists() and _read_if_it_holds(record, inputs, _memo(record.parent)) is None:
            names = ", ".join(path.name for path in outputs_of(inputs))
            _log.debug("%s is made again: it was removed or replaced since", names)
            record.unlink(missing_ok=True)
        return record.name

    def key(self, name: str, inputs: Mapping[str, Any], results: Path) -> str:
        """Return the key that a task run with these inputs has now."""
        return self._record(name, inputs, results).name

    def input_names(self, inputs: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of the files that decide what a task computes."""
        read = (value for name, value in inputs.items() if name not in {*OUTPUTS, *self.without})
        return tuple(dict.fromkeys(path.name for value in read for path in _files(value)))

    def _record(self, name: str, inputs: Mapping[str, Any], results: Path) -> Path:
        memo = _memo(results)
        identity = {
            "task": name,
            "algorithm": self.algorithm,
            "inputs": {
                key: _identity(key, value, memo)
                for key, value in inputs.items()
                if key not in self.without
            },
        }
        text = json.dumps(identity, sort_keys=True)
        return results / hashlib.sha256(text.encode()).hexdigest()


def is_known(work: Task[..., Any], call: Mapping[str, Any]) -> bool:
    """Tell whether calling a task would be a hit."""
    key = key_of(work, call)
    return key is not None and recorded(work, call, key) is not None


def key_of(work: Task[..., Any], call: Mapping[str, Any]) -> str | None:
    """Return the key that calling a task would have now; None where nothing is remembered."""
    policy, results = work.cache_policy, work.result_storage
    if not isinstance(policy, ContentPolicy) or not isinstance(results, Path):
        return None
    return policy.key(work.name, call, results)


def recorded(work: Task[..., Any], call: Mapping[str, Any], key: str) -> FilesWritten | None:
    """Return what a task wrote before under the key of a call, if calling it would be a hit."""
    results = work.result_storage
    if work.refresh_cache or not isinstance(results, Path) or not (results / key).exists():
        return None
    return _read_if_it_holds(results / key, call, _memo(results))


def results_folder(task_ctx: TaskRunContext) -> Path:
    """Return the folder that holds the records of a task run.

    Raises:
        TypeError: if results are not kept in a folder of this machine.
    """
    storage = task_ctx.result_store.result_storage
    if not isinstance(storage, LocalFileSystem) or storage.basepath is None:
        raise TypeError(f"results must be kept in a folder, not in {storage!r}")
    return Path(storage.basepath)


def _memo(results: Path) -> DigestMemo:
    return DigestMemo(results.parent / "digests")


def _identity(name: str, value: Any, memo: DigestMemo) -> Any:
    if name in OUTPUTS:
        return [path.name for path in _paths(value)]
    if isinstance(value, Path):
        return {"name": value.name, "sha256": memo.digest(value)}
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, tuple | list):
        return [_identity("", item, memo) for item in value]
    return _anything.dump_python(value, mode="json")


def outputs_of(inputs: Mapping[str, Any]) -> list[Path]:
    """Return the files that a call of a task writes."""
    return [path for name in OUTPUTS for path in _paths(inputs.get(name, ()))]


def _read_if_it_holds(
    record: Path, inputs: Mapping[str, Any], memo: DigestMemo
) -> FilesWritten | None:
    """Return what was recorded, if each output of the run is still there like that."""
    written = read_record(record)
    if written and all(
        target.exists() and written.files.get(target.name) == memo.digest(target)
        for target in outputs_of(inputs)
    ):
        return written
    return None


def _paths(value: Path | tuple[Path, ...]) -> Iterator[Path]:
    yield from (value,) if isinstance(value, Path) else value


def _files(value: Any) -> Iterator[Path]:
    for item in value if isinstance(value, tuple | list) else (value,):
        if isinstance(item, Path):
            yield item
