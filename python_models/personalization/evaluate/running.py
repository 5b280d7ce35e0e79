"""Run contenders, each in a process of its own, and measure what they take."""

import re
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from threadpoolctl import threadpool_limits

from personalization.evaluate.contenders import Contender
from personalization.generators.base import GeneratorInputs, Picks, Scope
from personalization.interactions import MissingInputError

# Linux reports the peak resident set in KiB, macOS in bytes.
_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Cost:
    """What a contender took.

    Attributes:
        fit_seconds: CPU time of learning; without imports and reading.
        list_seconds: CPU time of scoring and ranking all users, by scope.
        peak_mib: Largest resident memory of the process, inputs and libraries included.
    """

    fit_seconds: float
    list_seconds: Mapping[Scope, float]
    peak_mib: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """The lists of a contender by scope, and what they took."""

    lists: Mapping[Scope, Picks]
    cost: Cost


class SkippedError(Exception):
    """The data lack what a contender needs."""


class FailedError(Exception):
    """A contender broke."""


def run(
    contender: Contender, inputs: GeneratorInputs, *, k: int, scopes: Sequence[Scope]
) -> Outcome:
    """Fit a contender and make its lists, on one thread of a new process.

    Args:
        contender: What to run.
        inputs: What it may look at.
        k: Largest number of items per list.
        scopes: Of the lists.

    Returns:
        The lists and what they took.

    Raises:
        SkippedError: The contender raised a MissingInputError, which says what the data lack.
        FailedError: It raised anything else, or its process ended.
    """
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(_measure, contender, inputs, k, scopes).result()
    except MissingInputError as error:
        raise SkippedError(str(error)) from error
    except BrokenProcessPool as error:
        raise FailedError("its process ended abruptly (out of memory?)") from error
    except Exception as error:
        raise FailedError(f"{type(error).__name__}: {error}") from error


def _measure(
    contender: Contender, inputs: GeneratorInputs, k: int, scopes: Sequence[Scope]
) -> Outcome:
    """The work of the new process."""
    for module in contender.modules:
        import_module(module)
    # One thread for all: CPU time then says what the work costs, not how long threads wait.
    with threadpool_limits(limits=1):
        started = time.process_time()
        make_lists = contender.fit(inputs)
        fit_seconds = time.process_time() - started
        lists: dict[Scope, Picks] = {}
        list_seconds: dict[Scope, float] = {}
        for scope in scopes:
            started = time.process_time()
            lists[scope] = make_lists(k=k, exclude_bought=scope == "new")
            list_seconds[scope] = time.process_time() - started
    return Outcome(lists, Cost(fit_seconds, list_seconds, peak_mib()))


def peak_mib() -> float:
    """Largest resident memory of this process so far."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Not getrusage, which on Linux starts from the memory of the process that forked this one.
        high_water = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        if high_water:
            return int(high_water[1]) / 2**10
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT / 2**20
