"""From visits to files, block by block: what all simulations have in common."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from simulation.engine import Engine, Format

_PEOPLE_PER_BLOCK: Final = 200_000
"""Even, since the two people of a household belong to one block."""

_PERSON_DAYS_PER_BLOCK: Final = 400_000
_TABLES: Final = ("views", "steps", "sessions", "events", "rows")
_TRUTH: Final = ("sessions", "events", "planted_rows")
_BROKEN_ROWS: Final = (
    "missing_event_id",
    "unknown_type",
    "no_timestamp",
    "year_1970",
    "year_2199",
    "negative_dwell",
)
_BROKEN_LINES: Final = ("invalid_json", "truncated_line", "wrong_types")
"""What can be wrong with text, but not with a row of a table."""


@dataclass(frozen=True)
class Population:
    """Who is simulated, and when.

    Attributes:
        people: How many people.
        days: How many days.
        starts_on: The first of them.
    """

    people: int
    days: int
    starts_on: date


@dataclass(frozen=True)
class Written:
    """How much a simulation has written.

    Attributes:
        events: What happened.
        rows: Rows in the landing folder: events, second rows and broken ones.
    """

    events: int
    rows: int


@dataclass(frozen=True)
class _Block:
    first_person: int
    end_person: int
    first_day: int
    end_day: int


def write_blocks(
    engine: Engine, out: Path, population: Population, form: Format, drafts: Mapping[str, str]
) -> Written:
    """Draw all events and write the landing folder and what of the truth goes along with them.

    A block is some people and some days. It is drawn apart from all others, so memory does not grow
    with their number. Of the tables, only orders stay.

    Args:
        engine: Where people, devices, products and days have been made.
        out: Folder to write to.
        population: Who and when.
        form: How events are written.
        drafts: The queries that make the tables `visits`, `drafts` and `choices` of a block, in
            this order, by the name of the table.
    """
    kinds = _BROKEN_ROWS + (_BROKEN_LINES if form == "jsonl" else ())
    engine.make_choice("broken_kind_of", {kind: 1 / len(kinds) for kind in kinds})
    events = rows = 0
    for block in _blocks(population):
        engine.set(**vars(block))
        engine.make_by(drafts)
        engine.make(*_TABLES)
        engine.add("orders")
        engine.add("order_lines")
        engine.add("arrivals")

        part = f"{block.first_person // _PEOPLE_PER_BLOCK:03d}"
        for table in _TRUTH:
            path = out / "truth" / table / f"{part}-{block.first_day:05d}.parquet"
            engine.write_query(f"truth_{table}", path)
        # The rows of a day arrive on its date or, after midnight, on the next.
        is_last = block.end_day == population.days
        until = None if is_last else population.starts_on + timedelta(days=block.end_day)
        events += engine.row("select count(*) from events")[0]
        rows += engine.write_arrivals(out / "landing", until, part, form)
    return Written(events, rows)


def _blocks(population: Population) -> Iterator[_Block]:
    people_per_block = min(population.people, _PEOPLE_PER_BLOCK)
    days_per_block = max(1, _PERSON_DAYS_PER_BLOCK // people_per_block)
    for first_person in range(0, population.people, people_per_block):
        end_person = min(first_person + people_per_block, population.people)
        for first_day in range(0, population.days, days_per_block):
            end_day = min(first_day + days_per_block, population.days)
            yield _Block(first_person, end_person, first_day, end_day)
