"""The generators by name.

To add one, write a function with the signature of `base.Generator` and give it an entry here.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

from personalization.generators.base import Generator
from personalization.generators.blends import graph_blend
from personalization.generators.content import content
from personalization.generators.factorization import als
from personalization.generators.graph_filters import gf_cf, turbo_cf
from personalization.generators.item_based import bm25, cosine, rp3_beta, tf_idf
from personalization.generators.linear import ease
from personalization.generators.popularity import popular, popular_in_segment, trending
from personalization.generators.repeat import buy_again, buy_again_in_time, tifu_knn
from personalization.generators.sessions import session_knn
from personalization.generators.user_based import user_knn, user_rp3

GENERATORS: Final[Mapping[str, Generator]] = {
    "popular": popular,
    "popular_in_segment": popular_in_segment,
    "trending": trending,
    "buy_again": buy_again,
    "buy_again_in_time": buy_again_in_time,
    "tifu_knn": tifu_knn,
    "user_knn": user_knn,
    "user_rp3": user_rp3,
    "cosine": cosine,
    "tf_idf": tf_idf,
    "bm25": bm25,
    "rp3_beta": rp3_beta,
    "turbo_cf": turbo_cf,
    "gf_cf": gf_cf,
    "graph_blend": graph_blend,
    "ease": ease,
    "als": als,
    "content": content,
    "session_knn": session_knn,
}
"""The generators by name, from simple to elaborate. All can be fitted with their defaults."""

SOURCES_PER_ITEM: Final = 200
"""How many bought items may speak for an item, in `rp3_beta` and in reasons."""

FOR_REPEAT_PURCHASES: Final[Mapping[str, Generator]] = {
    **GENERATORS,
    "ease": partial(ease, regularization=500.0),
    "rp3_beta": partial(rp3_beta, neighbors=SOURCES_PER_ITEM),
}
"""The generators set up for a shop whose customers come again and again.

Chosen on weeks 1 to 40 of the demo against the six weeks after.
"""

BASELINES: Final = ("popular", "buy_again")
"""What any recommender must beat: what everybody buys, and what the customer always buys."""
