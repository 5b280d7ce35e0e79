"""DuckDB with the macros, parameters and queries of the simulation, and writers of its files."""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal, Self

import duckdb

from simulation.parameters import Rates
from warehouse.paths import quote_identifier, quote_literal

Format = Literal["jsonl", "parquet"]

# The flat keys of the landing folder: the input layer's, with the address itself for its hash.
LANDING_COLUMNS: Final = (
    "event_id",
    "event_type",
    "occurred_at",
    "received_at",
    "customer_id",
    "anonymous_id",
    "product_id",
    "campaign_id",
    "order_id",
    "email",
    "search_query",
    "search_results",
    "quantity",
    "dwell_seconds",
    "rating",
    "channel",
    "device",
    "page_path",
    "referrer_host",
    "traffic_source",
    "traffic_medium",
    "traffic_campaign",
    "is_simulated",
)
_SEGMENT_COLUMNS: Final = (
    "visits_per_week",
    "cart_factor",
    "daily_churn",
    "price_sensitivity",
    "joins_late",
    "discount",
)
_TIMES: Final = ("occurred_at", "received_at")


class Engine:
    """A scratch database that draws the simulation.

    What a query may use: the macros of `sql/macros.sql`; every single-number rate and everything
    given to `set` as a variable; the tables `segments`, `channels`, `weekdays` and `hours`; and
    every table made before it.
    """

    def __init__(self, rates: Rates, *, seed: int, threads: int, memory_limit: str) -> None:
        """Open the database.

        Args:
            rates: What is planted.
            seed: Another seed draws another shop.
            threads: How many threads DuckDB may use; the result does not depend on it.
            memory_limit: How much memory it may use, such as 2GB; beyond, it writes to disk.
        """
        self.connection = duckdb.connect(
            config={
                "threads": threads,
                "memory_limit": memory_limit,
                "temp_directory": str(Path(tempfile.gettempdir()) / "simulation"),
            }
        )
        self.set(seed=seed, purchase_uplift=rates.purchase_uplift(), **rates.scalars())
        self.connection.execute(_read_sql("macros"))
        self._plant(rates)

    def __enter__(self) -> Self:
        """Return the engine itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the database."""
        self.connection.close()

    def set(self, **variables: object) -> None:
        """Set variables that queries read by `getvariable`.

        Args:
            variables: Values by name.
        """
        for name, value in variables.items():
            self.connection.execute(f"set variable {name} = $value", {"value": value})

    def make(self, *tables: str) -> None:
        """Make tables, one after the other, each by the query of its name.

        Args:
            tables: Names of files in `sql/`, without their ending.
        """
        self.make_by({table: table for table in tables})

    def make_by(self, queries: Mapping[str, str]) -> None:
        """Make tables, one after the other.

        Args:
            queries: By table, the name of its query in `sql/`.
        """
        for table, name in queries.items():
            self.make_from(table, _read_sql(name))

    def make_from(self, table: str, query: str) -> None:
        """Make a table.

        Args:
            table: Its name; a table of that name is replaced.
            query: What fills it.
        """
        self.connection.execute(f"create or replace table {quote_identifier(table)} as {query}")

    def add(self, table: str) -> None:
        """Append what the query of that name finds to a table, which is made if it is missing.

        Args:
            table: Name of the table and of its file in `sql/`.
        """
        name, query = quote_identifier(table), _read_sql(table)
        self.connection.execute(f"create table if not exists {name} as from ({query}) limit 0")
        self.connection.execute(f"insert into {name} {query}")

    def row(self, query: str) -> tuple[Any, ...]:
        """Return the only row that a query finds."""
        (row,) = self.connection.execute(query).fetchall()
        return tuple(row)

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns."""
        return list(self.connection.table(table).columns)

    def write_parquet(self, query: str, path: Path) -> None:
        """Write what a query finds, in its order.

        Args:
            query: The query.
            path: The file.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection.execute(f"copy ({query}) to {quote_literal(path)} (format parquet)")

    def write_query(self, name: str, path: Path) -> None:
        """Write what the query of that name finds.

        Args:
            name: Name of its file in `sql/`.
            path: The parquet file.
        """
        self.write_parquet(_read_sql(name), path)

    def write_arrivals(self, landing: Path, until: date | None, part: str, form: Format) -> int:
        """Move the rows of the table `arrivals` that have arrived to the landing folder.

        Args:
            landing: The landing folder.
            until: The first arrival date that is not complete yet; None: all are.
            part: What tells the files of one partition apart.
            form: How events are written.

        Returns:
            How many rows were written.
        """
        is_complete = f"arrival_date < {quote_literal(str(until))}" if until else "true"
        days = self.connection.execute(
            f"from arrivals select arrival_date, count(*) where {is_complete} group by 1 order by 1"
        ).fetchall()
        columns = ", ".join(LANDING_COLUMNS) if form == "parquet" else f"{_json_line()} as line"
        # Neither quotes nor delimiters: each line is the JSON as it stands.
        options = (
            "format parquet"
            if form == "parquet"
            else "format csv, header false, quote '', escape '', delimiter e'\\x1f'"
        )
        for day, _ in days:
            folder = landing / f"arrival_date={day}"
            folder.mkdir(parents=True, exist_ok=True)
            self.connection.execute(
                f"copy (from arrivals select {columns} where arrival_date = date '{day}' "
                "order by received_at, planted_id, copy) "
                f"to {quote_literal(folder / f'events-{part}.{form}')} ({options})"
            )
        self.make_from("arrivals", f"from arrivals where not ({is_complete})")
        return sum(rows for _, rows in days)

    def _plant(self, rates: Rates) -> None:
        """Make the tables of parameters, and the macros that draw from their shares."""
        segments = [
            (name, *[getattr(segment, column) for column in _SEGMENT_COLUMNS])
            for name, segment in {**rates.segments, "visitor": rates.visitors}.items()
        ]
        self._make_rows("segments", ", ".join(("segment", *_SEGMENT_COLUMNS)), segments)
        self._make_rows(
            "channels",
            'channel, share, view, cart, checkout, "order", '
            "traffic_source, traffic_medium, traffic_campaign, referrer_host",
            [(name, *vars(channel).values()) for name, channel in rates.channels.items()],
        )
        self._make_rows("weekdays", "weekday, factor", list(enumerate(rates.weekday_factors, 1)))
        self._make_rows("hours", "hour, weight", list(enumerate(rates.hour_weights)))
        for macro, shares in (
            ("segment_of", {name: segment.share for name, segment in rates.segments.items()}),
            ("channel_of", {name: channel.share for name, channel in rates.channels.items()}),
            ("hour_of", {hour: weight / 1000 for hour, weight in enumerate(rates.hour_weights)}),
        ):
            self.make_choice(macro, shares)

    def _make_rows(self, table: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
        values = ", ".join("(" + ", ".join(map(_literal, row)) + ")" for row in rows)
        self.make_from(table, f"from (values {values}) as rows ({columns})")

    def make_choice(self, macro: str, shares: Mapping[Any, float]) -> None:
        """Make a macro that turns a number of [0, 1) into a value, each with its share.

        Args:
            macro: Its name.
            shares: Share by value; together 1.
        """
        cases, reached = "", 0.0
        *firsts, last = (value for value, share in shares.items() if share > 0)
        for value in firsts:
            reached += shares[value]
            cases += f" when u < {reached!r} then {_literal(value)}"
        chosen = f"case{cases} else {_literal(last)} end" if cases else _literal(last)
        self.connection.execute(f"create or replace macro {macro}(u) as {chosen}")


def _read_sql(name: str) -> str:
    return (files("simulation") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def _literal(value: object) -> str:
    if value is None:
        return "cast(null as varchar)"
    if isinstance(value, bool):
        return str(value).lower()
    # Written with an exponent, a number is a double and no decimal.
    return f"{value!r}e0" if isinstance(value, float) else _integer_or_text(value)


def _integer_or_text(value: object) -> str:
    return str(value) if isinstance(value, int) else quote_literal(str(value))


def _json_line() -> str:
    """Return the SQL of a row's JSON with the keys that have a value, or of what is left of it."""
    pairs = []
    for column in LANDING_COLUMNS:
        value = f"strftime({column}, '%Y-%m-%dT%H:%M:%S.%gZ')" if column in _TIMES else column
        pairs.append(f"""',"{column}":' || to_json({value})""")
    # The first key may be missing, and with it its comma.
    line = "'{' || substr(concat(" + ", ".join(pairs) + "), 2) || '}'"
    return f"""
        case kind
            when 'invalid_json' then replace({line}, '":', '"=')
            when 'truncated_line' then left({line}, length({line}) // 2)
            when 'wrong_types' then replace({line}, '"occurred_at":', '"occurred_at":[1],"was":')
            else {line}
        end"""
