import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse import csr_array

from personalization.generators.base import GeneratorInputs
from personalization.generators.registry import BASELINES, GENERATORS
from personalization.interactions import Interactions


def test_the_package_imports_none_of_its_modules():
    # Else two threads that import it at the same time may see it half made.
    code = (
        "import sys, personalization.generators as g;"
        "print([name for name in sys.modules if name.startswith(g.__name__ + '.')])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_baselines_are_generators():
    assert set(BASELINES) <= set(GENERATORS)


# They look at times, orders or segments, of which a matrix alone knows nothing.
NEED_MORE = ("popular_in_segment", "trending", "buy_again_in_time", "content", "session_knn")


def inputs() -> GeneratorInputs:
    bought = csr_array(np.eye(3, 4) + np.eye(3, 4, 1))
    customer_ids, item_ids = np.array([*"abc"], object), np.array([*"wxyz"], object)
    return GeneratorInputs(Interactions(bought, customer_ids, item_ids))


@pytest.mark.parametrize("name", sorted(set(GENERATORS) - set(NEED_MORE)))
def test_scores_are_new_blocks_of_numbers(name):
    block = GENERATORS[name](inputs())(slice(1, 3))
    assert block.shape == (2, 4)
    assert (block >= 0).all()
    block[:] = 0  # read-only arrays refuse


@pytest.mark.parametrize("name", NEED_MORE)
def test_says_what_it_lacks(name):
    with pytest.raises(ValueError, match="column"):
        GENERATORS[name](inputs())
