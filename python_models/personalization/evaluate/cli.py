"""The command `personalization evaluate`, step by step."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from personalization.evaluate.arguments import NAMED_COLUMNS, parse_arguments
from personalization.evaluate.contenders import Contender, generator_contenders
from personalization.evaluate.peers import PEERS
from personalization.evaluate.preparing import Problem, prepare
from personalization.evaluate.reading import (
    InputError,
    parse_times,
    read_interactions,
    read_items,
    read_users,
)
from personalization.evaluate.reporting import Verdict, judge, scope_tables, write_lists
from personalization.evaluate.running import FailedError, SkippedError, run
from personalization.evaluate.splitting import split_at, split_share
from personalization.generators.base import Generator, Picks, Scope

_DEFAULT_SHARE: Final = 0.2


def main(
    argv: Sequence[str] | None = None, *, generators: Mapping[str, Generator] | None = None
) -> int:
    """Run the command.

    Args:
        argv: The arguments, by default those of the process.
        generators: What can be evaluated, by default all generators of the package.

    Returns:
        0; 1 if a contender failed or none could run; 2 if the data cannot be used.
    """
    if generators is None:
        from personalization.generators.registry import GENERATORS

        generators = GENERATORS
    arguments = parse_arguments(argv, generators)
    chosen = {name: generators[name] for name in arguments.generators}
    contenders = [*generator_contenders(chosen), *(PEERS[name] for name in arguments.peers)]
    try:
        problem, notes = _prepare(arguments)
        scopes, scope_note = _choose_scopes(problem, arguments.scope)
        _say(*notes, scope_note)
        return _evaluate(problem, contenders, scopes, arguments)
    except InputError as error:
        _tell(f"personalization evaluate: {error}")
        return 2


def _prepare(arguments: argparse.Namespace) -> tuple[Problem, list[str]]:
    """Read and divide the data; return the problem and what to say of it."""
    names = {
        role: name
        for role in NAMED_COLUMNS
        if (name := getattr(arguments, f"{role}_column")) is not None
    }
    cutoff = None
    if arguments.interactions:
        table = read_interactions(arguments.interactions, names)
        if arguments.split_at:
            time = parse_times(pd.Series([arguments.split_at]), "--split-at")[0]
            split = split_at(table.frame, time)
        else:
            split = split_share(table.frame, arguments.test_share or _DEFAULT_SHARE)
        train, test, cutoff = split.train, split.test, split.time
        notes = [*table.notes, split.note]
    else:
        tables = [
            read_interactions(arguments.train, names),
            read_interactions(arguments.test, names, is_test=True),
        ]
        train, test = (table.frame for table in tables)
        notes = [note for table in tables for note in table.notes]
    described = [
        read(path, names) if path else None
        for read, path in ((read_items, arguments.products), (read_users, arguments.customers))
    ]
    notes += [note for table in described if table for note in table.notes]
    items, users = (table.frame if table else None for table in described)
    problem = prepare(train, test, items, users, cutoff=cutoff)
    return problem, [*notes, *problem.notes]


def _choose_scopes(problem: Problem, wanted: str | None) -> tuple[tuple[Scope, ...], str]:
    """The scopes asked for, or those that the test pairs tell apart, and how often they repeat."""
    if wanted in ("new", "both") and "new" not in problem.scopes:
        raise InputError("every test pair repeats a training pair: choose --scope all")
    by_wish: dict[str | None, tuple[Scope, ...]] = {
        "all": ("all",),
        "new": ("new",),
        "both": ("all", "new"),
        None: problem.scopes,
    }
    share = problem.is_repeat.mean()
    return by_wish[wanted], f"{share:.1%} of the test pairs repeat a training pair"


def _evaluate(
    problem: Problem,
    contenders: Sequence[Contender],
    scopes: Sequence[Scope],
    arguments: argparse.Namespace,
) -> int:
    """Run and judge the contenders, print the tables and write the lists; return the exit code."""
    verdicts: dict[Scope, list[Verdict]] = {scope: [] for scope in scopes}
    lists: dict[str, Mapping[Scope, Picks]] = {}
    absent: list[str] = []
    has_failed = False
    for number, contender in enumerate(contenders, start=1):
        name = contender.name
        _tell(f"[{number}/{len(contenders)}] {name}")
        try:
            outcome = run(contender, problem.inputs, k=max(arguments.k), scopes=scopes)
        except SkippedError as error:
            absent.append(f"{name} skipped: {error}")
            continue
        except FailedError as error:
            absent.append(f"{name} failed: {error}")
            has_failed = True
            continue
        for scope in scopes:
            verdicts[scope].append(judge(problem, name, outcome, scope, arguments.k))
        # Other libraries do not promise the same lists again.
        if arguments.out and not contender.is_peer:
            lists[name] = outcome.lists
    for scope, judged in verdicts.items():
        if judged:
            _say("", scope_tables(scope, judged, arguments.k))
    if absent:
        _say("", *absent)
    if lists:
        _say("", f"{arguments.out}: {write_lists(arguments.out, problem, lists):,} rows")
    return 1 if has_failed or len(absent) == len(contenders) else 0


def _say(*lines: str) -> None:
    """Print results."""
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()


def _tell(line: str) -> None:
    """Print progress and errors, apart from the results."""
    sys.stderr.write(f"{line}\n")
