"""Items like those a customer buys, by what is known of them; also works for new items."""

from typing import Final

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, diags_array

from personalization.generators.base import GeneratorInputs, ScoreBlock, Scorer, unit_rows
from personalization.interactions import IntArray, check_at_least, check_columns
from personalization.similarity import item_similarities

# Each value of these is one term; of the name, each word is.
_FIELDS: Final = ("department", "category", "brand", "size")
_NAME: Final = "item_name"


def content(inputs: GeneratorInputs) -> Scorer:
    """Score items by the cosine of their description and the customer's profile.

    An item is described by the set of its terms: its department, category, brand and size, and
    the words of its name. With n items of which n_t have term t, its vector x_i of unit length is
    proportional to

        idf(t) = 1 + log((1 + n) / (1 + n_t))

    for its terms, so that a department, which says little, weighs little. The profile of customer
    c is Σ w(c, i) · x_i with the decayed weights w (Lops et al., "Content-based recommender
    systems: state of the art and trends", 2011).

    Args:
        inputs: Needs one of the columns `department`, `category`, `brand`, `size`, `item_name`
            of `items`; null is no term.

    Returns:
        The scorer; 0 for items without a term in common with the profile.

    Raises:
        ValueError: `items` has none of the columns.
    """
    group = _description_numbers(inputs.items)
    # Items of one description share a vector, so that only distinct ones are multiplied.
    _, examples = np.unique(group, return_index=True)
    vectors = _tf_idf(inputs.items)
    profiles = unit_rows(csr_array(inputs.interactions.weights @ vectors))
    distinct = csr_array(vectors[examples])

    def score(rows: slice) -> ScoreBlock:
        cosines: ScoreBlock = (distinct @ profiles[rows].toarray().T).T
        return cosines[:, group]

    return score


def content_neighbors(items: pd.DataFrame, *, k: int) -> pd.DataFrame:
    """Find the k items whose descriptions are most similar to that of each item, bought or not.

    The score is the exact cosine of the vectors of `content`. Ties go to items of the very same
    description, then to the description with more terms, then to the item that comes first.

    Args:
        items: As in `GeneratorInputs`; needs one of the columns that `content` needs.
        k: Largest number of neighbors per item.

    Returns:
        One row per item and neighbor, sorted by `item` and `rank`: `item` and `neighbor`
        (positions in `items`), `rank` (from 1) and `score` (above 0, rounded to 6 digits).
        Items without a term have no neighbors.

    Raises:
        ValueError: k is below 1, or `items` has none of the columns.
    """
    check_at_least("k", k, 1)
    vectors = _tf_idf(items)
    described = np.flatnonzero(np.diff(vectors.indptr))
    group = _description_numbers(items)[described]
    members = pd.DataFrame({"item": described, "group": group})
    pairs = _similar_groups(vectors, members.groupby("group")["item"].first(), k=k)
    # No list needs more of one group than k, and one in place of the item itself.
    candidates = members.groupby("group").head(k + 1)
    lists = (
        pairs.merge(
            candidates.rename(columns={"group": "neighbor_group", "item": "neighbor"}),
            on="neighbor_group",
        )
        .sort_values(["group", "rank", "neighbor"])
        .groupby("group")
        .head(k + 1)
    )
    result = members.merge(lists, on="group").sort_values(["item", "rank", "neighbor"])
    result = result[result["item"] != result["neighbor"]].groupby("item").head(k)
    rank = result.groupby("item").cumcount() + 1
    return result.assign(rank=rank)[["item", "neighbor", "rank", "score"]].reset_index(drop=True)


def _similar_groups(vectors: csr_array, examples: pd.Series, *, k: int) -> pd.DataFrame:
    """Rank the k most similar groups of each group, itself before them at rank 0.

    Args:
        vectors: Shape (n_items, n_terms), of unit length.
        examples: An item of each group, by group number.
        k: Largest number of other groups.

    Returns:
        Columns `group`, `neighbor_group`, `rank`, `score`.
    """
    terms = vectors[examples.to_numpy()].tocoo()
    # Terms stand in for customers: what two items share makes them similar in the same way.
    found = item_similarities(
        pd.DataFrame(
            {
                "customer_id": _ids(terms.coords[1]),
                "item_id": _ids(examples.index.to_numpy()[terms.coords[0]]),
                "weight": terms.data,
            }
        ),
        k=k,
        min_support=1,
    )
    itself = pd.DataFrame(
        {"group": examples.index, "neighbor_group": examples.index, "rank": 0, "score": 1.0}
    )
    others = pd.DataFrame(
        {
            "group": found["item_id"].astype(np.int64),
            "neighbor_group": found["neighbor_item_id"].astype(np.int64),
            "rank": found["rank"],
            "score": found["score"],
        }
    )
    # Dissimilar to six digits is no neighbor.
    return pd.concat([itself, others[others["score"] > 0]])


def _ids(positions: IntArray) -> pd.Series:
    """Text that sorts like the numbers."""
    return pd.Series(positions).astype("str").str.zfill(10)


def _texts(items: pd.DataFrame) -> pd.DataFrame:
    """The known fields as lower-case text, null where unknown; rows numbered from 0."""
    known = [column for column in (*_FIELDS, _NAME) if column in items.columns]
    if not known:
        check_columns(items, (*_FIELDS, _NAME))
    columns = {
        column: items[column].astype(object).map(lambda value: str(value).lower(), "ignore")
        for column in known
    }
    return pd.DataFrame(columns).reset_index(drop=True)


def _description_numbers(items: pd.DataFrame) -> IntArray:
    """Number the distinct descriptions by their first item; shape (n_items,)."""
    texts = _texts(items)
    numbers = texts.groupby(list(texts.columns), dropna=False, sort=False).ngroup()
    return np.asarray(numbers, dtype=np.int64)


def _tf_idf(items: pd.DataFrame) -> csr_array:
    """Describe items by vectors of unit length; shape (n_items, n_terms)."""
    texts = _texts(items)
    parts = [
        column + "=" + texts[column].dropna().astype("str")
        for column in texts.columns
        if column != _NAME
    ]
    if _NAME in texts.columns:
        names = texts[_NAME].dropna().astype("str")
        parts.append(names.str.findall(r"\w+").explode().dropna().astype("str"))
    terms = pd.concat(parts).rename_axis("item").rename("term").reset_index().drop_duplicates()
    column, vocabulary = pd.factorize(terms["term"], sort=True)
    described = csr_array(
        (np.ones(len(terms)), (terms["item"].to_numpy(np.int64), column)),
        shape=(len(texts), len(vocabulary)),
    )
    n_items = np.bincount(column, minlength=len(vocabulary))
    idf = 1 + np.log((1 + len(texts)) / (1 + n_items))
    vectors = csr_array(unit_rows(described @ diags_array(idf)))
    vectors.sort_indices()
    return vectors
