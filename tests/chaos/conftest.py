"""How many kills; the rest is in `study` and `test_killed`."""

import pytest

FEW = 1


@pytest.fixture(scope="session")
def kills(request: pytest.FixtureRequest) -> int:
    """Kills of each verb."""
    return int(request.config.getoption("--kills") or FEW)
