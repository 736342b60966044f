"""Why an HDF5 file cannot be opened, in words: the library's own are long, and name its calls."""

_WORDS = {
    "signature not found": "it is no HDF5 file",
    "Is a directory": "it is a folder",
    "truncated file": "it was cut short; copy it again",
    "Permission denied": "you may not read it",
    "No such file": "there is no such file",
}


def hdf5_reason(error: Exception) -> str:
    """Return why, as far as it is known; else what the library says, in one line."""
    said = " ".join(str(error).split())
    return next((words for mark, words in _WORDS.items() if mark in said), said)
