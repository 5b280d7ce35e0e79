"""The options of `personalization evaluate`."""

import argparse
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from personalization.evaluate.peers import PEERS, is_installed
from personalization.evaluate.reading import INTERACTION_COLUMNS, USER_COLUMNS

NAMED_COLUMNS: Final = {**INTERACTION_COLUMNS, "segment": USER_COLUMNS["segment"]}
"""The roles whose columns can be named by an option, and the names understood without."""

_DESCRIPTION: Final = """\
Rank items for every user of your data with every generator and with other libraries, and say
whose lists foresee the test data best, and at what cost. Every contender runs on one thread of a
process of its own.
"""
_EPILOG: Final = """\
Files are parquet, or CSV (UTF-8, with commas and a header), one row per interaction. Ids of any
type become text; times are ISO 8601 (UTC if without offset) or Unix seconds or milliseconds.
Users without training rows are left out; test items without training rows count as relevant.
Purchases fade with their age at the split, or at the last time of --train; contenders see nothing
of the test rows. Generators that need times, items' attributes or users' segments are skipped, with
the reason, where there are none. Whatever else stops a contender is a failure: exit code 1.
rule_based is not among the generators, since it needs mined rules; the warehouse judges it, in
evaluation.recommendation_backtests.
"""


def parse_arguments(argv: Sequence[str] | None, generators: Collection[str]) -> argparse.Namespace:
    """Read the options, or tell what is wrong with them and exit with code 2.

    Args:
        argv: The arguments, by default those of the process.
        generators: Names of the generators that can be chosen.
    """
    parser = argparse.ArgumentParser(prog="personalization")
    command = parser.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "evaluate",
        help="compare generators of recommendations on your data",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_data_options(command)
    _add_run_options(command, generators)
    arguments = parser.parse_args(argv)
    if (arguments.train is None) != (arguments.test is None):
        command.error("--train and --test go together")
    if (arguments.train is None) == (arguments.interactions is None):
        command.error("give either --train and --test, or --interactions")
    if arguments.train and (arguments.split_at or arguments.test_share):
        command.error("--split-at and --test-share divide --interactions")
    if arguments.out and not arguments.out.parent.is_dir():
        command.error(f"--out: no such folder: {arguments.out.parent}")
    if arguments.out and arguments.out.is_dir():
        command.error(f"--out: a folder, not a file: {arguments.out}")
    return arguments


def _add_data_options(command: argparse.ArgumentParser) -> None:
    """What to read, and how to divide it."""
    data = command.add_argument_group("data")
    data.add_argument("--train", type=Path, metavar="FILE", help="what to learn from")
    data.add_argument("--test", type=Path, metavar="FILE", help="what to foresee")
    data.add_argument("--interactions", type=Path, metavar="FILE", help="both, to be divided")
    division = data.add_mutually_exclusive_group()
    division.add_argument("--split-at", metavar="TIME", help="test rows are those from here on")
    division.add_argument(
        "--test-share",
        type=_share,
        metavar="SHARE",
        help="the last share of rows in time is test; without times, a random share of each"
        " user's items (default: 0.2)",
    )
    data.add_argument(
        "--products",
        type=Path,
        metavar="FILE",
        help="what is known of the items: department, category, brand, size, item_name; all its"
        " items can be recommended",
    )
    data.add_argument(
        "--customers",
        type=Path,
        metavar="FILE",
        help="what is known of the users at the end of the training data: segment",
    )
    for role, aliases in NAMED_COLUMNS.items():
        data.add_argument(
            f"--{role}-column",
            metavar="NAME",
            help=f"the {role} in all files (default: {', '.join(aliases)})",
        )


def _add_run_options(command: argparse.ArgumentParser, generators: Collection[str]) -> None:
    """What to run, and what to do with the lists."""
    run = command.add_argument_group("contenders and lists")
    run.add_argument(
        "--generators",
        type=lambda text: _names(text, generators),
        default=list(generators),
        metavar="NAMES",
        help=f"separated by commas (default: all of {', '.join(generators)})",
    )
    peers = run.add_mutually_exclusive_group()
    peers.add_argument(
        "--peers",
        type=_peers,
        default=[name for name, peer in PEERS.items() if is_installed(peer)],
        metavar="NAMES",
        help=f"methods of other libraries (default: those installed of {', '.join(PEERS)})",
    )
    peers.add_argument(
        "--no-peers", dest="peers", action="store_const", const=[], help="only the generators"
    )
    run.add_argument(
        "--k",
        type=_lengths,
        default=[5, 10, 20],
        metavar="NUMBERS",
        help="lengths of list to judge (default: 5,10,20)",
    )
    run.add_argument(
        "--scope",
        choices=["all", "new", "both"],
        help="rank all items, those new to the user, or one after the other (default: new if no"
        " test pair repeats a training pair, else both)",
    )
    run.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write the generators' lists as parquet: generator, scope (all if the list may hold"
        " any item, new if only items new to the user), user, item, rank, score (share of the"
        " user's best)",
    )


def _names(text: str, known: Collection[str]) -> list[str]:
    """Names separated by commas, each once."""
    names = list(dict.fromkeys(text.split(",")))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"unknown: {', '.join(unknown)} (choose from {', '.join(known)})"
        )
    return names


def _peers(text: str) -> list[str]:
    """Names of peers that are installed."""
    names = _names(text, PEERS)
    for name in names:
        if not is_installed(PEERS[name]):
            packages = ", ".join(PEERS[name].packages)
            raise argparse.ArgumentTypeError(f"{name} needs the package {packages}")
    return names


def _lengths(text: str) -> list[int]:
    """Whole numbers from 1, ascending."""
    try:
        lengths = sorted({int(part) for part in text.split(",")})
    except ValueError:
        lengths = [0]
    if lengths[0] < 1:
        raise argparse.ArgumentTypeError(f"not whole numbers from 1: {text}")
    return lengths


def _share(text: str) -> float:
    """A number between 0 and 1."""
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"not a number between 0 and 1: {text}")
    return share
