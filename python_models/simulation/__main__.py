"""The command line: `python -m simulation shop` and `python -m simulation web-for-demo`."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb
import yaml

from simulation.blocks import Written
from simulation.demo import WebForDemo, simulate_web_for_demo
from simulation.parameters import NO_FAULTS, Rates
from simulation.shop import SHOP_TABLES, ShopArguments, customers_for, simulate_shop
from warehouse.input_contract import read_input_contract
from warehouse.raw_files import read_sources
from warehouse.source_settings import FolderSettings

_DESCRIPTION: Final = """\
Simulates web events whose truth is known, for tests of code and of speed.

  shop          a whole shop: events, all other input tables, and the truth
  web-for-demo  browsing around the real purchases of the demo's households

Every row is marked as simulated. The same arguments give the same bytes, whatever the number of
threads. The last line printed is the command that builds a warehouse from it.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: The command line; None for that of the process.

    Returns:
        0; 2 if the simulation cannot be made as asked for.
    """
    options = _parser().parse_args(arguments)
    try:
        if options.command == "shop":
            _shop(options)
        else:
            _web_for_demo(options)
    except (ValueError, OSError, duckdb.Error) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _shop(options: argparse.Namespace) -> None:
    shop = ShopArguments(
        customers=options.customers or ShopArguments.customers,
        days=options.days,
        starts_on=options.start,
        products=options.products,
        **_common(options, Rates()),
    )
    if options.events:
        shop = replace(shop, customers=customers_for(options.events, shop))
    _report(shop.out, simulate_shop(shop))
    folder = shop.out.absolute()
    contract = read_input_contract()
    tables = {
        table: {
            "files": str(folder / "shop" / f"{table}.parquet"),
            "columns": {name: name for name in (*contract[table], "is_simulated")},
        }
        for table in SHOP_TABLES
    }
    _write_vars(
        shop.out,
        {
            "sources": {
                "custom": {"tables": tables},
                "web_events": {"directory": str(folder / "landing")},
            },
            "shop_timezone": _clock(shop.rates),
            "as_of_date": str(shop.ends_on),
        },
    )


def _web_for_demo(options: argparse.Namespace) -> None:
    web = WebForDemo(
        directory=options.directory or _demo_directory(),
        **_common(options, WebForDemo(Path(), Path()).rates),
    )
    _report(web.out, simulate_web_for_demo(web))
    landing = str(web.out.absolute() / "landing")
    _write_vars(web.out, {"sources": {"completejourney": {}, "web_events": {"directory": landing}}})


def _common(options: argparse.Namespace, rates: Rates) -> dict[str, Any]:
    changes = dict(options.set)
    if options.clean:
        changes.update(NO_FAULTS)
    return {
        "out": options.out,
        "seed": options.seed,
        "form": options.format,
        "rates": replace(rates, **changes),
        "threads": options.threads,
        "memory_limit": options.memory_limit,
    }


def _report(out: Path, written: Written) -> None:
    sys.stdout.write(f"{out}: {written.events:,} events in {written.rows:,} rows\n")


def _write_vars(out: Path, variables: dict[str, object]) -> None:
    path = out / "vars.yml"
    path.write_text(yaml.safe_dump(variables, sort_keys=False), encoding="utf-8")
    sys.stdout.write(f"Build a warehouse from it: make build SETTINGS={shlex.quote(str(path))}\n")


def _clock(rates: Rates) -> str:
    """Return the time zone of the shop's clock; the zones named Etc count the other way round."""
    return f"Etc/GMT{-rates.utc_offset_hours:+d}" if rates.utc_offset_hours else "UTC"


def _demo_directory() -> Path:
    (source,) = read_sources(settings={"completejourney": FolderSettings()})
    if source.directory is None:
        raise FileNotFoundError("the demo's package is not installed: name --directory")
    return source.directory


def _rate(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    default = Rates().scalars().get(name)
    if default is None:
        raise argparse.ArgumentTypeError(f"no rate is called {name}")
    try:
        return name, type(default)(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{name} is no number: {value}") from error


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulation",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--out", type=Path, required=True, help="folder to write to, or renew")
    common.add_argument(
        "--seed", type=int, default=1, help="another seed, another draw (%(default)s)"
    )
    common.add_argument(
        "--format", choices=("jsonl", "parquet"), default="jsonl", help="of events (%(default)s)"
    )
    common.add_argument("--clean", action="store_true", help="no late, repeated or broken rows")
    common.add_argument(
        "--set",
        type=_rate,
        action="append",
        default=[],
        metavar="RATE=VALUE",
        help="change one of the rates listed below; may be repeated",
    )
    common.add_argument("--threads", type=_positive, default=2, help="of DuckDB (%(default)s)")
    common.add_argument("--memory-limit", default="2GB", help="of DuckDB (%(default)s)")

    rates = (
        "rates and their defaults (simulation.parameters.Rates tells what they mean):\n"
        + "\n".join(f"  {name}={value}" for name, value in Rates().scalars().items())
    )
    shop = commands.add_parser(
        "shop",
        parents=[common],
        help="a whole shop",
        epilog=rates,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    size = shop.add_mutually_exclusive_group()
    size.add_argument("--customers", type=_positive, help=f"({ShopArguments.customers})")
    size.add_argument("--events", type=_positive, help="as many customers as make so many events")
    shop.add_argument("--days", type=_positive, default=90, help="of the simulation (%(default)s)")
    shop.add_argument(
        "--start",
        type=date.fromisoformat,
        default=ShopArguments.starts_on,
        help="the first day (%(default)s)",
    )
    shop.add_argument(
        "--products", type=_positive, default=2_000, help="a multiple of 20 (%(default)s)"
    )
    demo = commands.add_parser(
        "web-for-demo",
        parents=[common],
        help="browsing of the demo's households",
        epilog=rates,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    demo.add_argument(
        "--directory", type=Path, help="the demo's parquet files (the installed package's)"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
