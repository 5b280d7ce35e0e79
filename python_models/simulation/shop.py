"""A whole shop: landing folder, tables of the shop and the truth, all below one folder."""

from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from simulation.blocks import Population, Written, write_blocks
from simulation.engine import Engine, Format
from simulation.output import fresh_folder
from simulation.parameters import Rates
from warehouse.input_contract import read_input_contract

SHOP_TABLES: Final = (
    "customers",
    "products",
    "orders",
    "order_lines",
    "campaigns",
    "campaign_contacts",
    "consents",
)

_PILOT_CUSTOMERS: Final = 2_000


@dataclass(frozen=True)
class ShopArguments:
    """What a simulated shop is.

    Attributes:
        out: Folder to write to.
        customers: How many customers it has.
        days: How many days are simulated.
        starts_on: The first of them.
        seed: Another seed draws another shop.
        products: How many products it sells, a multiple of 20.
        form: How events are written.
        rates: What is planted.
        threads: How many threads may work; the files do not depend on it.
        memory_limit: How much memory DuckDB may use.
    """

    out: Path
    customers: int = 10_000
    days: int = 90
    starts_on: date = date(2024, 1, 1)
    seed: int = 1
    products: int = 2_000
    form: Format = "jsonl"
    rates: Rates = field(default_factory=Rates)
    threads: int = 2
    memory_limit: str = "2GB"

    def __post_init__(self) -> None:
        """Check the sizes.

        Raises:
            ValueError: If one of them makes no shop.
        """
        if self.customers < 1 or self.days < 1:
            raise ValueError("at least one customer and one day are needed")
        if self.products < 20 or self.products % 20:
            raise ValueError(f"products is {self.products}, expected a multiple of 20")

    @property
    def ends_on(self) -> date:
        """The day after the last."""
        return self.starts_on + timedelta(days=self.days)

    @property
    def people(self) -> int:
        """How many people come: customers, and visitors who never log in."""
        return self.customers + round(self.customers * self.rates.visitors_per_customer)


def simulate_shop(arguments: ShopArguments) -> Written:
    """Write a simulated shop.

    Below the folder: `landing/` with the events as they arrive, `shop/` with the other tables of
    the input layer, `truth/` with what was planted, and `simulation.json` with all parameters.

    Args:
        arguments: What shop.

    Returns:
        How much was written.

    Raises:
        FileExistsError: If the folder holds files that no simulation wrote.
    """
    parameters = asdict(arguments)
    for name in ("out", "threads", "memory_limit"):
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
        engine.set(
            customers=arguments.customers,
            people=arguments.people,
            days=arguments.days,
            products=arguments.products,
            starts_on=datetime.combine(arguments.starts_on, datetime.min.time()),
            takes_orders=True,
        )
        engine.make("products", "people", "devices", "days", "campaigns", "consents", "contacts")
        population = Population(arguments.people, arguments.days, arguments.starts_on)
        drafts = {"visits": "visits", "drafts": "drafts", "choices": "choices"}
        written = write_blocks(engine, out, population, arguments.form, drafts)
        _write_shop(engine, out / "shop")
        _write_truth(engine, out / "truth")
    return written


def customers_for(events: int, arguments: ShopArguments) -> int:
    """Return how many customers make about so many events, by a pilot of the same shop.

    Args:
        events: How many events are wanted.
        arguments: The shop; its number of customers and its folder are not used.
    """
    with TemporaryDirectory() as folder:
        pilot = replace(
            arguments, out=Path(folder) / "pilot", customers=_PILOT_CUSTOMERS, form="parquet"
        )
        found = simulate_shop(pilot).events
    return max(1, round(events / found * _PILOT_CUSTOMERS))


def _write_shop(engine: Engine, folder: Path) -> None:
    """Write the tables of the input layer, in the columns and types of its contract."""
    contract = read_input_contract()
    engine.make("customers", "campaign_contacts")
    for table in SHOP_TABLES:
        known = engine.columns(table)
        columns = [
            f"cast({column if column in known else 'null'} as {data_type}) as {column}"
            for column, data_type in contract[table].items()
        ]
        engine.write_parquet(
            f"from {table} select {', '.join(columns)}, true as is_simulated order by all",
            folder / f"{table}.parquet",
        )


def _write_truth(engine: Engine, folder: Path) -> None:
    """Write what was planted, beside what the blocks have written of it."""
    engine.make_from("categories", "select distinct category_number, category from products")
    engine.make_from("truth_sessions", f"from '{folder}/sessions/*.parquet'")
    for name in ("people", "identities", "funnel_steps", "seasonality", "campaign_effects"):
        engine.write_query(f"truth_{name}", folder / f"{name}.parquet")
