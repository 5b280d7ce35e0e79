"""Compare commands by wall time, CPU time and peak memory, each run in a process of its own.

    python -m benchmarks.measure --rounds 3 "fast=python a.py" "slow=python b.py"

The contenders take turns (A, B, A, B, ...), so that a slow spell of the machine hits all alike,
and the medians over the rounds are reported. The last contender is the one others are compared
with.
"""

import argparse
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

# Linux reports the peak resident set in KiB, macOS in bytes.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Usage:
    """What one run, or the median of several, took."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float


def run(command: Sequence[str]) -> Usage:
    """Run a command to its end and measure it, children it has waited for included.

    Raises:
        RuntimeError: The command failed.
    """
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall_seconds = time.perf_counter() - started
    # Told by hand, since the process was not awaited through `process`.
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{shlex.join(command)} exited with {process.returncode}")
    cpu_seconds = usage.ru_utime + usage.ru_stime
    return Usage(wall_seconds, cpu_seconds, usage.ru_maxrss * _RSS_UNIT / 2**20)


def compare(contenders: Mapping[str, Sequence[str]], *, rounds: int = 3) -> dict[str, Usage]:
    """Run the contenders in turn and return their medians over the rounds.

    Raises:
        ValueError: rounds is below 1.
        RuntimeError: A command failed.
    """
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, not {rounds}")
    runs: dict[str, list[Usage]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, command in contenders.items():
            runs[name].append(run(command))
    return {
        name: Usage(
            median(usage.wall_seconds for usage in usages),
            median(usage.cpu_seconds for usage in usages),
            median(usage.peak_mib for usage in usages),
        )
        for name, usages in runs.items()
    }


def format_table(usages: Mapping[str, Usage]) -> str:
    """Lay out the medians, and how many times more the last contender took."""
    *_, baseline = usages.values()
    width = max(len(name) for name in usages)
    lines = [
        f"{'contender':<{width}}  {'wall s':>8}  {'CPU s':>8}  {'peak MiB':>8}"
        f"  {'x wall':>6}  {'x CPU':>6}  {'x peak':>6}"
    ]
    lines += [
        f"{name:<{width}}  {usage.wall_seconds:8.2f}  {usage.cpu_seconds:8.2f}"
        f"  {usage.peak_mib:8.0f}  {baseline.wall_seconds / usage.wall_seconds:6.2f}"
        f"  {baseline.cpu_seconds / usage.cpu_seconds:6.2f}"
        f"  {baseline.peak_mib / usage.peak_mib:6.2f}"
        for name, usage in usages.items()
    ]
    return "\n".join(lines)


def main() -> None:
    """Compare the commands given as name=command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("contenders", nargs="+", metavar="NAME=COMMAND")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    contenders = {}
    for contender in arguments.contenders:
        name, separator, command = contender.partition("=")
        if not separator:
            parser.error(f"not of the form NAME=COMMAND: {contender}")
        contenders[name] = shlex.split(command)
    print(format_table(compare(contenders, rounds=arguments.rounds)))


if __name__ == "__main__":
    main()
