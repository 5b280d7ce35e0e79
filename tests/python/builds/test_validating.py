"""Raw data are tried against the contract without a build, and what is wrong is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from shop import write_files

from warehouse.validate import main

pytestmark = pytest.mark.builds

# Good lines to spoil: the first of the small shop.
LINES = "(select * from rows order by basket_id, product_id limit 3)"


@pytest.fixture(scope="module")
def raw_files(demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("spoiled") / "raw"
    spoiled = (
        "* replace (-1 as quantity, -product_id as product_id)",
        "* replace ('nan'::double as sales_value, -10 * product_id as product_id)",
    )
    write_files(
        demo_dir,
        directory,
        conditions={
            "transactions": "household_id % 100 = 0",
            "campaigns": "false",
            "promotions": "product_id % 1000 = 0",
        },
        queries={
            "transactions": " union all ".join(f"select {rows} from {LINES}" for rows in spoiled),
            "coupon_redemptions": "select * replace (-7 as household_id) from rows "
            "union all from rows union all from rows",
        },
    )
    return directory


def report_on(raw_files: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    variables = json.dumps({"sources": {"completejourney": {"directory": str(raw_files)}}})
    exit_code = main(["completejourney", "--json", "--vars", variables])
    return exit_code, json.loads(capsys.readouterr().out)


def test_says_what_the_gate_would_do(raw_files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, report = report_on(raw_files, capsys)

    # Of three redemptions two are copies of one another and the third is nobody's.
    (problem,) = report["problems"]
    assert problem.startswith("events: unknown_customer rejects ")
    assert exit_code == 1

    rules = {(rule["table"], rule["rule_id"]): rule for rule in report["broken_rules"]}
    assert rules["order_lines", "impossible_quantity"]["rows"] == 3
    assert rules["order_lines", "impossible_quantity"]["example"]["quantity"] == "-1.000"
    assert rules["order_lines", "impossible_price"]["rejected"] == 3
    assert "-7" in rules["events", "unknown_customer"]["example"].values()

    (lost,) = report["lost_values"]
    assert (lost["column"], lost["lost"], lost["example"]) == ("sales_amount", 3, "nan")
    assert report["unprobed"] == []

    tables = {table["table"]: table for table in report["tables"]}
    assert tables["order_lines"]["quarantined"] == 6
    assert tables["events"]["copies"] > 0
    assert tables["orders"]["first_at"].startswith("2017-01-0")
    assert 0.9 < tables["order_lines"]["filled"]["amount_paid"] < 1
    assert "consents" not in tables
