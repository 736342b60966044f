"""Flows run against a temporary server."""

import pytest


@pytest.fixture(autouse=True)
def _server(prefect_server: None) -> None:
    """Every test of this folder runs flows."""
