"""What the tests of every folder share."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def imc() -> Path:
    """The real tissue: 15 regions with the outputs of steinbock and Ilastik; not part of the repository."""
    folder = REPOSITORY.parent / "shared" / "data" / "imc"
    if not folder.is_dir():
        pytest.skip("the real tissue is not beside this checkout (../shared/data/imc)")
    return folder
