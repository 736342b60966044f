"""The flow of a verb in other processes."""

import pickle

import cloudpickle
import pytest

import flows


@pytest.mark.parametrize("name", ["check", "classify", "fix", "prepare", "run", "train"])
def test_a_flow_travels_to_other_processes(name: str) -> None:
    """Dask, and with it every cluster, could not send a task: its flow holds a wrapped body."""
    flow = getattr(flows, name)
    assert pickle.loads(cloudpickle.dumps(flow)) is flow  # noqa: S301 - our own
