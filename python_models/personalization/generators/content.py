"""Items like those a customer buys, by what is known of them; also works for new items."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, diags_array

from personalization.generators.base import GeneratorInputs, ScoreBlock, Scorer, unit_rows
from personalization.interactions import (
    BoolArray,
    FloatArray,
    IntArray,
    check_at_least,
    check_columns,
    places_by_popularity,
    rank_within,
    round_scores,
)

# Each value of these is one term; of the name, each word is.
_FIELDS: Final = ("department", "category", "brand", "size")
_NAME: Final = "item_name"
# Descriptions whose neighbors are sought at a time; bounds memory.
_BLOCK_DESCRIPTIONS: Final = 256


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


def content_neighbors(
    items: pd.DataFrame,
    *,
    k: int,
    is_offered: BoolArray | None = None,
    popularity: IntArray | None = None,
    max_per_name: int | None = None,
    min_score: float = 0.0,
) -> pd.DataFrame:
    """Find the k items whose descriptions are most similar to that of each item, bought or not.

    The score is the exact cosine of the vectors of `content`, rounded to 6 digits. Ties go to the
    more popular item, then to the item that comes first.

    Args:
        items: As in `GeneratorInputs`; needs one of the columns that `content` needs.
        k: Largest number of neighbors per item.
        is_offered: Shape (n_items,), whether an item may be a neighbor; None for all.
        popularity: Shape (n_items,), customers of each item; None for none known.
        max_per_name: Largest number of neighbors of one name, nulls together being one: of the
            best, the rest are passed over. None for no limit.
        min_score: Lowest score of a neighbor; what scores 0 never is one.

    Returns:
        One row per item and neighbor, sorted by `item` and `rank`: `item` and `neighbor`
        (positions in `items`), `rank` (from 1) and `score`.
        Items without a term have no neighbors.

    Raises:
        ValueError: k or max_per_name is below 1, min_score is negative, or `items` has none of
            the columns.
    """
    check_at_least("k", k, 1)
    check_at_least("min_score", min_score, 0)
    limit = k
    if max_per_name is not None:
        check_at_least("max_per_name", max_per_name, 1)
        check_columns(items, [_NAME])
        limit = min(k, max_per_name)
    vectors = _tf_idf(items)
    described = np.flatnonzero(np.diff(vectors.indptr))
    description = _description_numbers(items)
    name = _name_numbers(items) if max_per_name is not None else np.zeros(len(items), np.int64)
    if popularity is None:
        popularity = np.zeros(len(items), np.int64)
    place = places_by_popularity(popularity)

    # Items of one description share a vector, so that only distinct ones are multiplied.
    is_candidate = np.ones(len(items), bool) if is_offered is None else is_offered
    candidates = described[is_candidate[described]]
    candidates = candidates[np.lexsort((place[candidates], description[candidates]))]
    # No list needs more of one description than its limit, and one in place of the item itself.
    candidates = candidates[_count_before(description[candidates]) <= limit]
    bearers = described[np.argsort(description[described], kind="stable")]
    starts = np.flatnonzero(np.diff(description[bearers], prepend=-1))
    blocks = np.split(bearers, starts[_BLOCK_DESCRIPTIONS::_BLOCK_DESCRIPTIONS])

    nothing = np.empty(0, dtype=np.int64)
    found = [_Pairs(nothing, nothing, np.empty(0))]
    for block in blocks:
        _, example, number = np.unique(description[block], return_index=True, return_inverse=True)
        sources = block[example]
        lists = _similar_items(
            vectors, sources, candidates, description, place=place, min_score=min_score
        )
        # Until an item is left out of its own list, it holds a place there.
        is_own_name = name[lists.neighbor] == name[sources[lists.source]]
        lists = _cut(lists, name, limit=limit + is_own_name, k=k + 1)
        pairs = _hand_out(lists, block, number)
        pairs = pairs.only(pairs.source != pairs.neighbor)
        found.append(_cut(pairs, name, limit=limit, k=k))
    pairs = _Pairs(*map(np.concatenate, zip(*found, strict=True)))
    pairs = pairs.only(np.argsort(pairs.source, kind="stable"))
    return pd.DataFrame(
        {
            "item": pairs.source,
            "neighbor": pairs.neighbor,
            "rank": _count_before(pairs.source) + 1,
            "score": pairs.score,
        }
    )


class _Pairs(NamedTuple):
    """Neighbors by source, best first; all fields have shape (n_pairs,)."""

    source: IntArray
    neighbor: IntArray
    score: FloatArray

    def only(self, chosen: BoolArray | IntArray) -> "_Pairs":
        """The pairs of a mask or at positions."""
        return _Pairs(self.source[chosen], self.neighbor[chosen], self.score[chosen])


def _similar_items(
    vectors: csr_array,
    sources: IntArray,
    candidates: IntArray,
    description: IntArray,
    *,
    place: IntArray,
    min_score: float,
) -> _Pairs:
    """Rank all candidates that are similar enough to each source.

    Args:
        vectors: Shape (n_items, n_terms), of unit length.
        sources: Items, one per list.
        candidates: Items that may be neighbors, sorted by description.
        description: Shape (n_items,), number of each item's description.
        place: Shape (n_items,), in which order ties go.
        min_score: Lowest score of a neighbor.

    Returns:
        The pairs, with positions in `sources` as source.
    """
    first = np.flatnonzero(np.diff(description[candidates], prepend=-1))
    sizes = np.diff(first, append=len(candidates))
    cosines = csr_array(vectors[sources] @ csr_array(vectors[candidates[first]].T)).tocoo()
    score = round_scores(cosines.data)
    is_similar = (score > 0) & (score >= min_score)
    source, found = (axis[is_similar].astype(np.int64) for axis in cosines.coords)
    # From descriptions to the candidates that bear them.
    neighbor = candidates[_ranges(first[found], sizes[found])]
    source, score = (np.repeat(values, sizes[found]) for values in (source, score[is_similar]))
    order, _ = rank_within(source, score, place[neighbor])
    return _Pairs(source, neighbor, score).only(order)


def _hand_out(lists: _Pairs, items: IntArray, number: IntArray) -> _Pairs:
    """Give each item the list of its number, with the item as source; items come in order."""
    lengths = np.bincount(lists.source, minlength=number.max(initial=-1) + 1)
    starts = np.cumsum(lengths) - lengths
    entry = _ranges(starts[number], lengths[number])
    pairs = lists.only(entry)
    return pairs._replace(source=np.repeat(items, lengths[number]))


def _cut(pairs: _Pairs, name: IntArray, *, limit: int | IntArray, k: int) -> _Pairs:
    """Keep the best of each source: up to `limit` of one name, up to k of all."""
    pairs = pairs.only(_count_before(pairs.source, name[pairs.neighbor]) < limit)
    return pairs.only(_count_before(pairs.source) < k)


def _count_before(*keys: IntArray) -> IntArray:
    """Number of earlier rows with the same keys, shape (n,)."""
    return np.asarray(pd.Series(keys[0]).groupby(list(keys)).cumcount(), dtype=np.int64)


def _ranges(starts: IntArray, lengths: IntArray) -> IntArray:
    """The numbers from each start on, `lengths` of them, one range after the other."""
    before = np.cumsum(lengths) - lengths
    numbers: IntArray = np.arange(lengths.sum()) + np.repeat(starts - before, lengths)
    return numbers


def _name_numbers(items: pd.DataFrame) -> IntArray:
    """Number the distinct names, null being one; shape (n_items,)."""
    return np.asarray(pd.factorize(_texts(items)[_NAME], use_na_sentinel=False)[0], dtype=np.int64)


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
