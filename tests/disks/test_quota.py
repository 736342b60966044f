"""A person's share of a disk that is used up is told like a full disk."""

from pathlib import Path

import pytest

from ilpix.errors import DiskFullError
from tests.disks.conftest import Quota
from tests.disks.test_full_disk import VERBS, Contents, begin


@pytest.mark.parametrize("verb", ["prepare", "run"])
def test_a_verb_says_that_the_quota_is_used_up_and_goes_on_when_it_is_raised(
    verb: str, trained: Path, quota: Quota, contents: Contents
) -> None:
    study = quota.folder / "study"
    begin(verb, trained, study)
    VERBS[verb](study)
    wanted = contents(study)
    quota.empty()
    begin(verb, trained, study)
    given = contents(study)
    quota.leave(2**17)
    with pytest.raises(DiskFullError, match="is full: Disk quota exceeded; what was finished"):
        VERBS[verb](study)
    left = contents(study)
    assert {name: left[name] for name in given} == given
    assert not [name for name in left if ".ilpix-" in name]
    quota.lift()
    VERBS[verb](study)
    assert contents(study) == wanted
