"""Who is who: groups of ids that links join, directly or through others."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def connected_ids(links: pd.DataFrame, *, left: str, right: str) -> pd.DataFrame:
    """Find the groups of ids that links join (the connected components of their graph).

    Args:
        links: One row per link, with two columns of ids (text) as named by left and right; the
            direction, the order and the repetition of links do not matter.
        left: The column of the one end.
        right: The column of the other.

    Returns:
        One row per id, sorted, with member_id and group_id, the first of the group's ids.
    """
    # Links in two columns, ends as integers by the rank of the id, so that the first member of a
    # group has its smallest rank.
    ends = pd.concat([links[left], links[right]], ignore_index=True)
    codes, unique_ids = pd.factorize(ends, sort=True)
    heads, tails = codes[: len(links)], codes[len(links) :]
    graph = coo_array(
        (np.ones(len(links), dtype=bool), (heads, tails)), shape=2 * (len(unique_ids),)
    )
    _, labels = connected_components(graph, directed=False)
    _, first_members = np.unique(labels, return_index=True)
    members = np.asarray(unique_ids, dtype=object)
    groups = members[first_members[labels]]
    return pd.DataFrame({"member_id": members, "group_id": groups}, dtype="string")
