"""Versions of Ilastik are compared as PEP 440 does, by all who compare them."""

from ilpix.project.versions import is_newer


def test_versions_are_ordered_as_they_were_released() -> None:
    released = [
        "1.3.3",
        "1.3.3post3",
        "1.4.0b13",
        "1.4.0b21",
        "1.4.0rc8",
        "1.4.0",
        "1.4.0.post1",
        "1.4.1",
        "1.4.10",
    ]
    for i, earlier in enumerate(released):
        for later in released[i + 1 :]:
            assert is_newer(later, earlier)
            assert not is_newer(earlier, later)
        assert not is_newer(earlier, earlier)
    assert not is_newer("unknown", "1.4.0")
