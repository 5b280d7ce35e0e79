"""Shops of hardly anything get their tables too, and these pass their own tests."""

from pathlib import Path

import pytest
from shop import build, write_files

pytestmark = pytest.mark.builds

SHOPS = {
    "one customer": "household_id = 10",
    "one product": "product_id = (select mode(product_id) from read_parquet({transactions}))",
    "one order": (
        "basket_id = (select min(basket_id) from read_parquet({transactions}) "
        "where household_id = 10)"
    ),
}


@pytest.mark.parametrize("condition", SHOPS.values(), ids=SHOPS)
def test_recommendations_of_a_tiny_shop(
    condition: str, demo_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("tiny")
    write_files(demo_dir, directory / "raw", {"transactions": condition})
    wanted = ("path:models/marts/recommendations", "path:models/marts/evaluation")
    shop = build(
        directory,
        *("--select", *(f"+{name}" for name in wanted)),
        *("--indirect-selection", "cautious"),
        with_tests=True,
    )
    found = shop.query("select distinct scored_by from recommendations.customer_recommendations")
    assert found
    assert ("ranker",) not in found
