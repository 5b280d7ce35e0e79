"""The files are the same whoever writes them, account for every row and keep to the contract."""

import hashlib
import itertools
import json
from pathlib import Path

import pytest
from simulated import Simulated, assert_rate

from simulation.blocks import Written
from simulation.parameters import NO_FAULTS, Channel, Rates, Segment
from simulation.shop import SHOP_TABLES, ShopArguments, customers_for, simulate_shop
from warehouse.input_contract import read_input_contract

RATES = Rates()
# What a shop on the web alone does not know.
UNKNOWN = {
    "customers": {
        "income_band",
        "home_ownership",
        "marital_status",
        "household_size",
        "household_composition",
        "kids_count",
    },
    "order_lines": {"returned_order_line_id"},
}


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_the_same_arguments_give_the_same_bytes(tmp_path: Path, form: str) -> None:
    written = []
    for name, threads in (("one", 1), ("four", 4), ("again", 4)):
        arguments = ShopArguments(
            tmp_path / name, customers=1500, days=25, form=form, threads=threads
        )
        simulate_shop(arguments)
        written.append(digests(tmp_path / name))
    assert len(written[0]) > 40
    assert written[0] == written[1] == written[2]


def test_another_seed_draws_another_shop(tmp_path: Path) -> None:
    found = set()
    for seed in (1, 2):
        simulate_shop(ShopArguments(tmp_path / str(seed), customers=50, days=5, seed=seed))
        found.add(digests(tmp_path / str(seed))["shop/customers.parquet"])
    assert len(found) == 2


def test_blocks_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The same events, whether drawn at once or by a few people and days.
    events = []
    for name, people, person_days in (("at once", 10_000, 10**6), ("by blocks", 100, 700)):
        monkeypatch.setattr("simulation.blocks._PEOPLE_PER_BLOCK", people)
        monkeypatch.setattr("simulation.blocks._PERSON_DAYS_PER_BLOCK", person_days)
        written = simulate_shop(ShopArguments(tmp_path / name, customers=300, days=20))
        shop = Simulated(tmp_path / name, written)
        events.append(shop.query("select line, arrival_date from lines order by all"))
    assert events[0] == events[1]
    assert len(list((tmp_path / "by blocks").glob("landing/*/events-004.jsonl"))) > 10


def test_rows_are_events_and_planted_faults(shop: Simulated) -> None:
    ((lines,),) = shop.query("select count(*) from lines")
    assert lines == shop.written.rows
    planted = dict(
        shop.query("select kind, count(*) from 'truth/planted_rows/*.parquet' group by kind")
    )
    assert shop.query("select count(*) from 'truth/events/*.parquet'") == [(shop.written.events,)]
    late = planted.pop("late") + planted.pop("very_late")
    assert shop.written.rows == shop.written.events + sum(planted.values())
    assert_rate(late, shop.written.events, RATES.late_share)
    second = planted.pop("duplicate") + planted.pop("moved_duplicate")
    assert_rate(second, shop.written.events, RATES.duplicate_share)
    assert_rate(sum(planted.values()), shop.written.events, RATES.broken_share)
    assert len(planted) == 9


def test_every_planted_row_is_as_its_kind_says(shop: Simulated) -> None:
    # By kind, how many were planted and how many are found by what is wrong with them.
    found = shop.query(
        """
        with readable as (
            select
                case
                    when line ->> '$.event_id' is null then 'missing_event_id'
                    when event_type = 'teleport' then 'unknown_type'
                    when json_type(line, '$.occurred_at') = 'ARRAY' then 'wrong_types'
                    when occurred_at is null then 'no_timestamp'
                    when occurred_at < '2000-01-01' then 'year_1970'
                    when occurred_at > '2100-01-01' then 'year_2199'
                    when cast(line ->> '$.dwell_seconds' as int) < 0 then 'negative_dwell'
                end as kind
            from rows
        ),
        found as (
            select kind, count(*) as n from readable where kind is not null group by kind
            union all
            select
                case when line like '%"event_id"=%' then 'invalid_json' else 'truncated_line' end,
                count(*)
            from lines
            where not json_valid(line)
            group by 1
            union all
            select kind, count(*)
            from (
                select
                    case
                        when count(distinct line) = 1 then 'duplicate'
                        else 'moved_duplicate'
                    end as kind
                from rows
                where event_id is not null
                group by event_id
                having count(*) > 1
            )
            group by kind
            union all
            select
                case
                    when datediff('day', occurred_at, received_at - interval 2 seconds) >= 4
                        then 'very_late'
                    else 'late'
                end as kind,
                count(*)
            from (
                select event_id, occurred_at, min(received_at) as received_at
                from rows
                where event_id not like '%-broken'
                group by all
            )
            where received_at >= occurred_at + interval 1 day
            group by 1
        ),
        planted as (
            select kind, count(*) as n from 'truth/planted_rows/*.parquet' group by kind
        )
        select kind, planted.n, found.n from planted full join found using (kind) order by kind
        """
    )
    assert [row for row in found if row[1] != row[2]] == []
    assert len(found) == 13


def test_rows_lie_where_they_arrived(shop: Simulated) -> None:
    assert shop.query("select count(*) from rows where arrival_date <> received_at::date") == [(0,)]
    ((rows, simulated),) = shop.query(
        "select count(*), count(*) filter (where (line ->> '$.is_simulated')::boolean) from rows"
    )
    assert rows == simulated


def test_orders_are_those_placed(shop: Simulated) -> None:
    ((placed, orders, alike, with_lines),) = shop.query(
        """
        with placed as (
            select distinct line ->> '$.order_id' as order_id, customer_id, occurred_at
            from rows
            where event_type = 'place_order' and event_id not like '%-broken'
        )
        select
            count(placed.order_id),
            count(orders.order_id),
            count(*) filter (
                where placed.customer_id = orders.customer_id and occurred_at = ordered_at
            ),
            count(*) filter (
                where orders.order_id in (select order_id from 'shop/order_lines.parquet')
            )
        from placed
        full join 'shop/orders.parquet' as orders using (order_id)
        """
    )
    assert placed == orders == alike == with_lines > 100


def test_order_lines_are_what_stayed_in_the_cart(shop: Simulated) -> None:
    wrong = shop.query(
        """
        with carts as (
            select
                session_id,
                line ->> '$.product_id' as product_id,
                sum(
                    cast(line ->> '$.quantity' as int)
                    * case event_type when 'add_to_cart' then 1 else -1 end
                ) as quantity
            from (
                select event_id, any_value(event_type) as event_type, any_value(line) as line
                from rows
                where event_id not like '%-broken'
                group by event_id
            )
            inner join 'truth/events/*.parquet' using (event_id)
            inner join 'truth/sessions/*.parquet' using (session_id)
            where is_converted and event_type in ('add_to_cart', 'remove_from_cart')
            group by all
        ),
        lines as (
            select order_id[2:] as session_id, product_id, sum(quantity) as quantity
            from 'shop/order_lines.parquet'
            group by all
        )
        select *
        from lines
        full join (from carts where quantity > 0) as carts using (session_id, product_id)
        where carts.quantity is distinct from lines.quantity
        """
    )
    assert wrong == []


def test_every_event_row_has_the_keys_of_the_contract(shop: Simulated) -> None:
    keys = {
        key for (names,) in shop.query("select distinct json_keys(line) from rows") for key in names
    }
    known = set(read_input_contract()["events"]) - {"coupon_id", "email_hash"}
    assert keys == known | {"email", "is_simulated", "was"}


@pytest.mark.parametrize("table", SHOP_TABLES)
def test_tables_have_the_columns_of_the_contract(shop: Simulated, table: str) -> None:
    described = shop.query(f"describe from 'shop/{table}.parquet'")
    types = {name: str(data_type).lower() for name, data_type, *_ in described}
    contract = read_input_contract()[table]
    assert list(types) == [*contract, "is_simulated"]
    same = {"string": "varchar", "int": "integer"}
    assert {name: same.get(kind, kind) for name, kind in contract.items()} == {
        name: kind for name, kind in types.items() if name != "is_simulated"
    }
    counts = shop.query(
        f"select {', '.join(f'count({name})' for name in contract)} from 'shop/{table}.parquet'"
    )
    empty = {name for name, count in zip(contract, counts[0], strict=True) if count == 0}
    assert empty <= UNKNOWN.get(table, set())


def test_without_faults_every_event_is_written_once(tmp_path: Path) -> None:
    arguments = ShopArguments(tmp_path / "shop", customers=200, days=10, rates=Rates(**NO_FAULTS))
    written = simulate_shop(arguments)
    assert written.rows == written.events > 500


def test_a_number_of_events_is_met(tmp_path: Path) -> None:
    arguments = ShopArguments(tmp_path / "shop", days=20)
    customers = customers_for(60_000, arguments)
    written = simulate_shop(ShopArguments(tmp_path / "shop", days=20, customers=customers))
    assert written.events == pytest.approx(60_000, rel=0.1)


def test_a_shop_of_one_customer(tmp_path: Path) -> None:
    written = simulate_shop(ShopArguments(tmp_path / "shop", customers=1, days=1))
    assert written == Written(written.events, written.rows)
    assert {path.name for path in (tmp_path / "shop").iterdir()} >= {"shop", "truth"}


def test_an_earlier_simulation_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    for days in (3, 1):
        simulate_shop(ShopArguments(folder, customers=50, days=days))
    assert json.loads((folder / "simulation.json").read_text())["days"] == 1
    other = tmp_path / "other"
    other.mkdir()
    (other / "precious.txt").write_text("keep me")
    with pytest.raises(FileExistsError, match="no simulation wrote"):
        simulate_shop(ShopArguments(other, customers=1, days=1))
    assert (other / "precious.txt").read_text() == "keep me"
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize(
    "change",
    [
        {"late_share": 1.5},
        {"weekday_factors": (1.0,) * 6 + (2.0,)},
        {"hour_weights": (1,) * 24},
        {"campaign_effect_days": 40},
        {"segments": {"all": Segment(0.5, 1.0, 1.0, 0.001, 0.1)}},
        {"segments": {"all": Segment(1.0, 1.0, 9.0, 0.001, 0.1)}},
        {"channels": {"direct": Channel(0.9, 0.5, 0.5, 0.5, 0.5)}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_rates_that_contradict_themselves_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"expected|above"):
        Rates(**change)


@pytest.mark.parametrize("sizes", [{"customers": 0}, {"days": 0}, {"products": 30}])
def test_sizes_that_make_no_shop_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"needed|multiple"):
        ShopArguments(Path("unused"), **sizes)


def test_rates_are_documented() -> None:
    documented = Rates.__doc__ or ""
    for name in itertools.chain(RATES.scalars(), ("segments", "channels", "hour_weights")):
        assert f"        {name}: " in documented, name
