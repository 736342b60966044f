"""The command line in this process, beside the tests' server."""

import sys

import pytest

from command import cli


def ilpix(*words: str) -> int:
    """Run a command; return its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["ilpix", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code
