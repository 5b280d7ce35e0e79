"""What predictions of customers cost, and how the cost grows with their number.

    python -m benchmarks.prediction_cost [--scales 1 10] [--targets churn ...] [--backtests 3]

Takes the demo's order days, and copies of its customers whose days are shifted by up to three and
whose amounts are multiplied by 0.8 to 1.2, each number of customers in a process of its own on one
thread: the features at all cutoffs, the back-tests, and the newest predictions with their reasons.
Within these, fits and predictions of each model are told by CPU time. `peak MiB` is the largest
memory until then. Where there is a built warehouse, its orders are copied in the same way and
searched for anomalies. What demand forecasts cost does not depend on the number of customers.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks.demo import demo_directory
from benchmarks.outcomes import order_days, outcomes
from personalization.anomalies import Limits, find_anomalies
from personalization.evaluate.running import peak_mib
from personalization.interactions import FloatArray
from personalization.predictions.ladders import Candidate, Target, targets
from personalization.predictions.predicting import Forecasts
from personalization.predictions.propensity import Predictor
from personalization.predictions.rhythms import rhythm_table
from warehouse.customer_history import read_history
from warehouse.paths import connect_read_only, default_warehouse_path

NEWEST = date(2018, 1, 1)
CUTOFFS = [NEWEST - timedelta(days=28 * step) for step in range(13)]
# As the models of the warehouse are set up.
LIFETIME_DAYS = 364
_ALL = "all of customers, with imports"
_SHOWN_SHARE = 0.01


def write_shop(directory: Path, scale: int) -> None:
    """Write the order days of so many times the demo's customers, and what came true of them."""
    with duckdb.connect(config={"memory_limit": "4GB"}) as connection:
        days = order_days(connection, demo_directory())
        # The first copy is the demo itself. The hash is the same every time.
        days.query(
            "days",
            f"""
            with ends as (
                select min(order_date) as first_date, max(order_date) as last_date from days
            ),

            copies as (
                select
                    customer_id || '-' || copy as customer_id,
                    order_date + if(copy = 0, 0, (hash(customer_id, copy, order_date) % 7)::int - 3)
                        as shifted_date,
                    least(greatest(shifted_date, first_date), last_date) as order_date,
                    orders,
                    amount_paid
                    * if(copy = 0, 1, 0.8 + hash(order_date, customer_id, copy) % 401 / 1000)
                        as amount_paid
                from days, ends, range({scale}) as copies (copy)
            )

            select
                customer_id,
                order_date,
                order_date as known_date,
                sum(orders) as orders,
                round(sum(amount_paid), 2) as amount_paid
            from copies
            group by all
            order by all
            """,
        ).write_parquet(str(directory / "days.parquet"))
        days = connection.read_parquet(str(directory / "days.parquet"))
        outcomes(days, [str(cutoff) for cutoff in CUTOFFS]).write_parquet(
            str(directory / "outcomes.parquet")
        )


def write_orders(directory: Path, scale: int, warehouse: Path) -> None:
    """Write so many times the orders of a warehouse, beside what is usual for them."""
    jittered = """amount_paid * if(copy = 0, 1, 0.8 + hash(order_id, copy) % 401 / 1000)
        as amount_paid"""
    with connect_read_only(warehouse) as connection:
        for name, columns, condition in (
            ("int_order_signals_measured", f", {jittered}", "true"),
            # As py_order_anomalies reads them.
            (
                "int_order_products_compared",
                "",
                "unit_price not between 0.5 * usual_unit_price and 2 * usual_unit_price"
                " or quantity > 2 * usual_quantity",
            ),
        ):
            connection.sql(
                f"""
                select * exclude (copy) replace (order_id || '-' || copy as order_id {columns})
                from intermediate.{name}, range({scale}) as copies (copy)
                where {condition}
                """
            ).write_parquet(str(directory / f"{name}.parquet"))


@dataclass
class Costs:
    """CPU seconds and the largest memory so far, by part."""

    cpu: dict[str, float] = field(default_factory=dict)
    peak_mib: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Add the cost of a block of code to a part."""
        self.cpu.setdefault(part, 0.0)  # before the parts within it
        started = time.process_time()
        yield
        self.cpu[part] += time.process_time() - started
        self.peak_mib[part] = peak_mib()

    def __or__(self, other: "Costs") -> "Costs":
        """The costs of both."""
        return Costs(self.cpu | other.cpu, self.peak_mib | other.peak_mib)

    def timed(self, target: Target) -> Target:
        """The target with models that tell their cost."""
        candidates = tuple(self._timed(target, candidate) for candidate in target.candidates)
        return replace(target, candidates=candidates)

    def _timed(self, target: Target, candidate: Candidate) -> Candidate:
        model = f"  {target.name} {candidate.name}"

        def fit(features: pd.DataFrame, outcome: FloatArray, today: pd.DataFrame) -> Predictor:
            with self.of(f"{model} fits"):
                predictor = candidate.fit(features, outcome, today)

            def predict(rows: pd.DataFrame) -> FloatArray:
                with self.of(f"{model} predicts"):
                    return predictor(rows)

            return predict

        return replace(candidate, fit=fit)


def measure(directory: Path, names: list[str], n_backtests: int) -> Costs:
    """Run the parts on the files of a directory."""
    costs = Costs()
    with duckdb.connect() as connection, threadpool_limits(limits=1):
        with costs.of("read"):
            days = connection.read_parquet(str(directory / "days.parquet")).df()
        with costs.of("features"):
            rhythms = rhythm_table(days, CUTOFFS)
        del days
        with costs.of("history"):
            history = read_history(
                connection.from_df(rhythms),
                connection.read_parquet(str(directory / "outcomes.parquet")),
            )
        del rhythms
        final = {target.name: target for target in targets(lifetime_days=LIFETIME_DAYS)}
        for target in map(costs.timed, targets()):
            if target.name not in names:
                continue
            with costs.of(f"{target.name} back-tests"):
                made_before = Forecasts(history, target).backtest(n_backtests)
            with costs.of(f"{target.name} predictions"):
                Forecasts(history, target, made_before=made_before).predict(
                    costs.timed(final[target.name])
                )
            del made_before
    costs.cpu[_ALL] = time.process_time()
    costs.peak_mib[_ALL] = peak_mib()
    return costs


def measure_anomalies(directory: Path) -> Costs:
    """Search the orders of a directory for anomalies."""
    costs = Costs()
    with duckdb.connect() as connection:
        orders, products = (
            connection.read_parquet(str(directory / f"{name}.parquet")).df()
            for name in ("int_order_signals_measured", "int_order_products_compared")
        )
    with costs.of("order anomalies"), threadpool_limits(limits=1):
        find_anomalies(orders, products, Limits())
    return costs


def format_table(results: Mapping[int, Costs]) -> str:
    """Lay out CPU seconds and memory by scale, and the exponent with which CPU time grows.

    Parts that take less than a hundredth of the time at the largest scale are left out.
    """
    smallest, largest = min(results), max(results)
    shown = [
        part
        for part, seconds in results[largest].cpu.items()
        if seconds >= _SHOWN_SHARE * results[largest].cpu[_ALL]
    ]
    headers = [f"{scale}x {unit}" for unit in ("CPU s", "peak MiB") for scale in results]
    lines = [f"{'':<40}" + "".join(f"{header:>14}" for header in headers) + f"{'exponent':>10}"]
    for part in shown:
        values = [costs.cpu[part] for costs in results.values()]
        exponent = (
            math.log(values[-1] / values[0], largest / smallest) if largest > smallest else math.nan
        )
        values += [costs.peak_mib[part] for costs in results.values()]
        cells = "".join(f"{value:>14,.4g}" for value in values)
        lines.append(f"{part:<40}{cells}{exponent:>10.2f}")
    return "\n".join(lines)


def in_new_process(directory: Path, *arguments: str) -> Costs:
    """Measure the files of a directory in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.prediction_cost", "--directory", str(directory)]
    process = subprocess.run([*command, *arguments], stdout=subprocess.PIPE, check=True)
    return Costs(**json.loads(process.stdout))


def main() -> None:
    """Measure every scale in a new process and print the table."""
    names = [target.name for target in targets()]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--scales", type=int, nargs="+", default=[1, 10], help="how many times the customers"
    )
    parser.add_argument("--targets", nargs="+", choices=names, default=names)
    parser.add_argument("--backtests", type=int, default=3, help="how many cutoffs are judged")
    parser.add_argument("--directory", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--anomalies", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.directory:
        if arguments.anomalies:
            costs = measure_anomalies(arguments.directory)
        else:
            costs = measure(arguments.directory, arguments.targets, arguments.backtests)
        print(json.dumps(vars(costs)))
        return
    results = {}
    for scale in sorted(arguments.scales):
        with tempfile.TemporaryDirectory() as temporary:
            directory = Path(temporary)
            write_shop(directory, scale)
            results[scale] = in_new_process(
                directory,
                *("--targets", *arguments.targets),
                *("--backtests", str(arguments.backtests)),
            )
            if default_warehouse_path().is_file():
                write_orders(directory, scale, default_warehouse_path())
                results[scale] |= in_new_process(directory, "--anomalies")
    print(format_table(results))


if __name__ == "__main__":
    main()
