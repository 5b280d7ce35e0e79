import numpy as np
import pandas as pd
import pytest

from personalization.identity import connected_ids


def groups(*links: tuple[str, str]) -> dict[str, str]:
    frame = pd.DataFrame(links, columns=["person_id", "address_id"], dtype="string")
    found = connected_ids(frame, left="person_id", right="address_id")
    return dict(zip(found["member_id"], found["group_id"], strict=True))


def test_links_join_through_others() -> None:
    chain = groups(("d3", "x2"), ("d1", "x1"), ("d2", "x1"), ("d2", "x2"), ("d9", "x9"))
    assert chain == {
        **dict.fromkeys(["d1", "d2", "d3", "x1", "x2"], "d1"),
        **dict.fromkeys(["d9", "x9"], "d9"),
    }


def test_a_long_chain_is_one_group() -> None:
    links = [
        (f"d{place:05}", f"x{other:05}") for place in range(5000) for other in (place, place + 1)
    ]
    assert set(groups(*links).values()) == {"d00000"}


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_links_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    links = [(f"d{rng.integers(60)}", f"x{rng.integers(60)}") for _ in range(60)]
    shuffled = [links[place] for place in rng.permutation(len(links))]
    assert groups(*links) == groups(*shuffled, *links)


def test_no_links_make_no_groups() -> None:
    assert groups() == {}
