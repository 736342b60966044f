"""Every number that counts, beside a peer's, in one table.

    python -m benchmarks.everything [WORDS ...] [--list] [--repeats N] [--large] [--record]
        [--ilastik run_ilastik.sh] [--steinbock steinbock]

Rows whose names contain one of the words are measured, else all: about 20 minutes on two cores.
`--large` adds those of large images and trainings, each once. Ours and the peer's run in turns;
what is printed are medians of seconds, of CPU seconds, which are the steadier pair where other work
runs on the machine, and of the peak memory of the largest process. The last columns compare the CPU
seconds with those that `--record` kept before in `recorded.json`, under the name of the processor;
it also renews the table in `README.md`. Real Ilastik and steinbock are peers where their programs
are named.
"""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from subprocess import CalledProcessError
from tempfile import TemporaryDirectory

from benchmarks.bench import Bench
from benchmarks.costs import Cost, ProgramFailedError, middle
from benchmarks.recorded import COMPARED, Measured, Recorded, compared_line, head, processor
from benchmarks.rows import Row, all_rows

README = Path(__file__).with_name("README.md")


def main() -> None:
    arguments = _arguments()
    recorded = Recorded.of(processor())
    with ExitStack() as until:
        folder = Path(until.enter_context(TemporaryDirectory()))
        bench = Bench(folder, until, arguments.ilastik, arguments.steinbock)
        rows = all_rows(bench)
        chosen = [row for row in rows if _is_chosen(row, arguments)]
        if arguments.list:
            print("\n".join(row.name for row in chosen))
            return
        print(f"{processor()}, medians of {arguments.repeats}\n")
        print("\n".join(head(*COMPARED)), flush=True)
        failed = []
        for row in chosen:
            if not _measured(row, arguments.repeats, recorded):
                failed.append(row.name)
            elif arguments.record:
                recorded.write()
                recorded.renew(README, [row.name for row in rows])
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="of the names of rows; without them all")
    parser.add_argument("--list", action="store_true", help="the names, and measure nothing")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--large", action="store_true", help="also rows of minutes, each once")
    parser.add_argument("--record", action="store_true", help="what is compared with later")
    parser.add_argument("--ilastik", type=Path, metavar="run_ilastik.sh")
    parser.add_argument("--steinbock", type=Path, metavar="steinbock")
    return parser.parse_args()


def _is_chosen(row: Row, arguments: argparse.Namespace) -> bool:
    is_named = not arguments.words or any(word in row.name for word in arguments.words)
    return is_named and (arguments.large or not row.is_large)


def _measured(row: Row, repeats: int, recorded: Recorded) -> bool:
    """Measure a row and print it; one that fails costs the others nothing."""
    try:
        ours, peer = _in_turns(row, 1 if row.is_large else repeats)
    except (ProgramFailedError, CalledProcessError, OSError) as error:
        print(f"{row.name}: {error}", file=sys.stderr, flush=True)
        return False
    measured = Measured(ours, row.peer_name, peer, n_images=row.n_images)
    print(compared_line(row.name, measured, recorded.before(row.name)), flush=True)
    recorded.now[row.name] = measured
    return True


def _in_turns(row: Row, repeats: int) -> tuple[Cost, Cost | None]:
    ours, peer = row.prepare()
    turns = [(ours(), peer() if peer else None) for _ in range(repeats)]
    peers = [cost for _, cost in turns if cost is not None]
    return middle(cost for cost, _ in turns), middle(peers) if peers else None


if __name__ == "__main__":
    main()
