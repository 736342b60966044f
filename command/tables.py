"""What became of images, what was found and planned, as tables and sentences.

No name is broken in the middle: a table that is too wide leaves out what is the same in all rows,
and what is still too wide becomes lines.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from command.console import err, out, print_lines, say
from flows.errors import ImagesFailedError
from flows.running.choosing import is_chosen
from flows.running.manifest import VerbRecord
from ilpix.checks.findings import ALL_IMAGES
from ilpix.errors import name_some
from ilpix.wording import NOTHING_TO_DO, counted

Row = Mapping[str, Any]
_WEIGHT = ("kept", "done", "failed")
_STATES = {"done": "done", "kept": "had been done before", "failed": "failed"}


def print_rows(title: str, rows: Sequence[Row]) -> None:
    """Print rows with the same keys as a table; nothing where there are none."""
    if not rows:
        return
    texts = [{name: str(value) for name, value in row.items()} for row in rows]
    if _width(texts) > out.width and len(texts) > 1:
        same = {n: text for n, text in texts[0].items() if all(row[n] == text for row in texts)}
        title += "".join(f", {name} {text}" for name, text in same.items())
        texts = [{name: text for name, text in row.items() if name not in same} for row in texts]
    say(title)
    if _width(texts) > out.width:
        for first, *others in (row.items() for row in texts):
            say(f"  {first[1]}\n" + "    " + "; ".join(f"{name} {text}" for name, text in others))
        return
    table = Table()
    for name in texts[0]:
        table.add_column(name, min_width=_longest_word(row[name] for row in texts))
    for row in texts:
        table.add_row(*map(Text, row.values()))
    out.print(table)


def _width(rows: Sequence[Mapping[str, str]]) -> int:
    """The least width of a table that breaks no word."""
    words = (_longest_word([name, *(row[name] for row in rows)]) for name in rows[0])
    return sum(word + 3 for word in words) + 1


def _longest_word(texts: Iterable[str]) -> int:
    return max(len(word) for text in texts for word in (text.split() or [""]))


def print_findings(title: str, findings: Sequence[Row]) -> None:
    """Print what was found, a sentence each; what differs in its numbers only is one sentence."""
    if not findings:
        return
    counts = Counter(finding["severity"] for finding in findings)
    told = ", ".join(counted(count, severity) for severity, count in counts.items())
    say(f"{title}: {told}")
    alike: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
    for finding in findings:
        what = finding["what"].partition(": ")[0]
        alike[finding["severity"], finding["topic"], what, finding["advice"]].append(finding)
    for (severity, _, what, advice), same in alike.items():
        detail = same[0]["what"].removeprefix(what)
        example = f", in {same[0]['where']}{detail}" if len(same) > 1 else detail
        where = name_some([finding["where"] for finding in same])
        told = what if where in what.split() else f"{where}: {what}"
        say(f"{severity}: {told}{example}; {advice}")


def print_failures(error: ImagesFailedError) -> None:
    """Print which images failed and why."""
    say(f"error: {error.verb}: {len(error.failures)} of {error.n_images} failed", err)
    for images, reason in error.rows():
        lines = "".join(f"\n    {line}" for line in reason.splitlines())
        say(f"  {images}{lines}", err)


def print_plan(title: str, plan: Sequence[Row]) -> None:
    """Print what becomes of crops, a line for those of which the same becomes; problems first.

    Where nothing is to be done, the summary says that.
    """
    alike: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    if all(row["what"] == NOTHING_TO_DO for row in plan):
        return
    for row in plan:
        alike[row["problem"], row["what"]].append(row["crop"] or row["lane"])
    if alike:
        say(title)
    for (problem, what), names in sorted(alike.items(), key=lambda rows: not rows[0][0]):
        count = f"{len(names)} crops, " if len(names) > 1 else ""
        told = f"{count}{name_some(names)}: " if any(names) else ""
        say(f"  {'problem: ' if problem else ''}{told}{what}")


def print_summary(record: VerbRecord) -> None:
    """Print in one line how many images a verb handled, and how; then what else is to be known."""
    only = record.parameters.get("only")
    states = _states(record)
    counts = Counter(state for image, state in states.items() if is_chosen(image, only))
    told = ", ".join(f"{counts[state]} {text}" for state, text in _STATES.items() if counts[state])
    told = told or record.notes.get("summary") or "ended"
    print_lines([(record.verb, f"{told} in {record.seconds:.1f} s")])
    failed = [image for image, state in states.items() if state == "failed"]
    if before := [image for image in failed if not is_chosen(image, only)]:
        print_lines([("still failed from before", name_some(before))])
    warnings = record.notes.get("warnings", [])
    alone = [row for row in warnings if not row["where"].startswith(ALL_IMAGES)]  # was told
    print_findings("unlike the training crops", alone)


def _states(record: VerbRecord) -> dict[str, str]:
    """The state of each image: the worst of its steps."""
    images: dict[str, str] = {}
    for outcome in record.images:
        before = images.get(outcome.image, "kept")
        images[outcome.image] = max(before, outcome.state, key=_WEIGHT.index)
    return images
