"""An engine that does not answer at once is asked again."""

import pytest

from containers.errors import EngineUnreachableError, ImageMissingError
from flows.engines import patiently

NOT_YET = EngineUnreachableError("unix:///var/run/docker.sock", "Connection refused")


def test_an_engine_that_is_being_started_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """It was asked once, although the page says that it is asked again."""
    answers = iter([NOT_YET, NOT_YET, None])

    def prepare() -> str:
        if error := next(answers):
            raise error
        return "ready"

    assert patiently(prepare, delays_s=(0.0, 0.0, 0.0)) == "ready"
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert told[0].startswith("no container engine answers at unix:///var/run/docker.sock")


@pytest.mark.parametrize(
    ("error", "tries"), [(NOT_YET, 4), (ImageMissingError("ilastik", "no such image"), 1)]
)
def test_what_does_not_pass_is_an_error(error: Exception, tries: int) -> None:
    tried: list[None] = []

    def prepare() -> None:
        tried.append(None)
        raise error

    with pytest.raises(type(error)):
        patiently(prepare, delays_s=(0.0, 0.0, 0.0))
    assert len(tried) == tries
