"""Browsing on the web around the real purchases of the demo's households.

The demo's data were recorded in stores, so it has no web events of its own. These are made up from
what its households bought and when: no order is placed on the web, and nothing here may say how
well a model predicts.
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from simulation.blocks import Population, Written, write_blocks
from simulation.engine import Engine, Format
from simulation.output import fresh_folder
from simulation.parameters import Rates
from warehouse.paths import quote_literal


def _rates() -> Rates:
    return Rates(login_share=0.5)


@dataclass(frozen=True)
class WebForDemo:
    """What browsing is simulated.

    Attributes:
        out: Folder to write to.
        directory: Folder of the demo's parquet files.
        seed: Another seed draws other browsing.
        basket_visit_share: Share of baskets that a visit comes before, by one to three days.
        browsing_visits_per_week: Visits of a household beside these in an average week.
        own_product_share: Share of views of other products than the basket's that go to something
            the household buys at another time; the others go to what anybody buys.
        form: How events are written.
        rates: What is planted; segments, campaigns and favorites do not matter.
        threads: How many threads may work; the files do not depend on it.
        memory_limit: How much memory DuckDB may use.
    """

    out: Path
    directory: Path
    seed: int = 1
    basket_visit_share: float = 0.3
    browsing_visits_per_week: float = 0.4
    own_product_share: float = 0.5
    form: Format = "jsonl"
    rates: Rates = field(default_factory=_rates)
    threads: int = 2
    memory_limit: str = "2GB"


def simulate_web_for_demo(arguments: WebForDemo) -> Written:
    """Write web events of the demo's households, with the truth about them.

    Args:
        arguments: What browsing.

    Returns:
        How much was written.

    Raises:
        FileExistsError: If the folder holds files that no simulation wrote.
        duckdb.Error: If the demo's files cannot be read.
    """
    parameters = asdict(arguments)
    for name in ("out", "directory", "threads", "memory_limit"):
        del parameters[name]
    with (
        fresh_folder(arguments.out, parameters) as out,
        Engine(
            arguments.rates,
            seed=arguments.seed,
            threads=arguments.threads,
            memory_limit=arguments.memory_limit,
        ) as engine,
    ):
        for table in ("transactions", "products"):
            path = arguments.directory / f"{table}.parquet"
            engine.make_from(f"raw_{table}", f"from read_parquet({quote_literal(path)})")
        engine.make("demo_lines")
        first, last = engine.row("select min(date), max(date) from demo_lines")
        days = (last - first).days + 1
        engine.set(
            days=days,
            starts_on=datetime.combine(first, datetime.min.time()),
            lines=engine.row("select count(*) from demo_lines")[0],
            takes_orders=False,
            # Beyond the last day: no e-mail campaign.
            campaign_first_day=days,
            basket_visit_share=arguments.basket_visit_share,
            browsing_visits_per_week=arguments.browsing_visits_per_week,
            own_product_share=arguments.own_product_share,
        )
        engine.make_by({"products": "demo_products", "people": "demo_people"})
        engine.make("demo_baskets", "devices", "days", "campaigns", "consents", "contacts")
        (people,) = engine.row("select count(*) from people")
        return write_blocks(
            engine,
            out,
            Population(people, days, first),
            arguments.form,
            {"visits": "demo_visits", "drafts": "drafts", "choices": "demo_choices"},
        )
