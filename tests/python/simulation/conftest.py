from datetime import date

import pytest
from simulated import Simulated

from simulation.shop import ShopArguments, simulate_shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """A shop large enough to recover what is planted; its days span two blocks."""
    folder = tmp_path_factory.mktemp("simulated") / "shop"
    arguments = ShopArguments(folder, customers=6000, days=60, starts_on=date(2024, 2, 1))
    return Simulated(folder, simulate_shop(arguments))
