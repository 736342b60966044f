"""What is said within a second: what a verb does, and where. What follows takes seconds to load."""

from pathlib import Path

DOING = {
    "prepare": "preparing the images",
    "import": "importing raw files",
    "train": "training the classifier",
    "run": "predicting the prepared images",
    "fix": "comparing project and crops",
    "classify": "preparing, training and predicting",
    "demo": "classifying synthetic tissue",
    "check": "comparing project and prepared images",
}
RECORDED = {"classify": "run", "demo": "run"}  # verbs whose outcome is that of another


def first_line(verb: str, data_dir: Path) -> str:
    """Return what a verb does and where, in one line: as it was given, if it was."""
    place = Path.cwd() if data_dir == Path() else data_dir
    return f"{DOING[verb]} in {place} …"
