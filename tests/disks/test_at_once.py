"""Verbs that are started at once in one folder do what they do one after the other."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.disks.test_full_disk import VERBS


def test_prepare_train_and_run_at_once_end_as_one_after_the_other(
    study: Path, contents: Callable[[Path], dict[str, bytes]]
) -> None:
    shutil.copy(study / "img" / "region_1.tiff", study / "img" / "new.tiff")
    twin = shutil.copytree(study, study.with_name("twin"))
    for verb in ("prepare", "train", "run"):
        VERBS[verb](twin)
    with ThreadPoolExecutor(3) as pool:
        started = [pool.submit(VERBS[verb], study) for verb in ("run", "train", "prepare")]
    for each in started:
        each.result()
    VERBS["run"](study)  # it may have been the first, without the new image and classifier
    assert contents(study) == contents(twin)
