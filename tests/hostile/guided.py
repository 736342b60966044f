"""Mutated files that reach new lines: `python -m tests.hostile.guided SUBJECT [-max_total_time=S]`.

It needs `pip install atheris`, which is no dependency. An input that goes wrong ends it and is kept
in the current folder, as libFuzzer does it; the other options are libFuzzer's, too.
"""

import random
import sys
import tempfile
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[2]
# numba compiles no code that counts which lines it reaches
COMPILED = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "ilpix").rglob("_*.py")
    if "njit" in path.read_text(encoding="utf-8")
]

with atheris.instrument_imports(include=["ilpix"], exclude=COMPILED):
    from tests.hostile.fuzz import BAD, InputReader
    from tests.hostile.subjects import SUBJECTS


def main() -> None:
    """Fuzz one subject until something goes wrong, or the time is over."""
    (subject,) = [one for one in SUBJECTS if one.name == sys.argv[1]]
    with tempfile.TemporaryDirectory() as folder:
        reader = InputReader(subject, Path(folder))
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        (corpus / "sound").write_bytes(reader.sound)

        def judge(content: bytes) -> None:
            outcome, what = reader.judge(content, is_cut=False)
            if outcome in BAD:
                raise RuntimeError(f"{outcome}: {what}")

        def mutate(content: bytes, max_size: int, seed: int) -> bytes:
            rng = random.Random(seed)  # noqa: S311 - repeatable
            try:
                return rng.choice(subject.mutations)(content or b"\0", rng)[:max_size]
            except Exception:  # what is damaged already may not be open to a change of structure
                return content

        options = ["-timeout=5", "-rss_limit_mb=2048", "-max_len=200000", *sys.argv[2:]]
        atheris.Setup([sys.argv[0], *options, str(corpus)], judge, custom_mutator=mutate)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
