import pandas as pd
import pytest

from personalization.surfaces import arrange, propose

SURFACES = ["for_you", "buy_again", "discover", "trending", "cold_start"]
PROPOSAL = [
    "customer_id", "surface", "item_id", "score", "reason_code", "reason_item_id", "scored_by",
]  # fmt: skip
RESULT = [
    "customer_id", "surface", "rank", "item_id", "score", "reason_code", "reason_item_id",
    "scored_by", "is_exploration",
]  # fmt: skip


def ranked_rows(*rows: tuple) -> pd.DataFrame:
    """Customer, item, score and days since the last purchase (None for never)."""
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "score", "days"])
    is_bought = frame["days"].notna()
    return pd.DataFrame(
        {
            "customer_id": frame["customer_id"].astype("str"),
            "item_id": frame["item_id"].astype("str"),
            "is_bought": is_bought,
            "score": frame["score"].astype("float64"),
            "scored_by": "ranker",
            "reason_code": is_bought.map({True: "bought_before", False: "similar_to_bought"}),
            "reason_item_id": frame["item_id"].where(is_bought, "source").astype("str"),
            "days_since_last_purchase": frame["days"].astype("float32"),
        }
    )


def candidate_rows(*rows: tuple) -> pd.DataFrame:
    columns = ["generator", "scope", "customer_id", "item_id", "score"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(
        reason_code=frame["generator"], reason_item_id=pd.array([None] * len(frame), dtype="str")
    )


def segment_rows(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "item_id", "score", "reason_code"])


def products(items, surfaces=SURFACES, **columns) -> pd.DataFrame:
    """Items admitted to some surfaces; a column may be one value or one per item."""
    defaults = {
        "boost": 1.0,
        "recent_customers": 1,
        "popularity": 1,
        "category": None,
        "is_exploration": False,
    }
    frame = pd.DataFrame({"item_id": pd.array(items, dtype="str")} | defaults | columns)
    frame["category"] = frame["category"].fillna("of " + frame["item_id"])
    return frame.merge(pd.DataFrame({"surface": surfaces}), how="cross")


def bought_rows(*rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "is_too_soon"])
    return frame.astype({"customer_id": "str", "item_id": "str", "is_too_soon": "bool"})


def wanted_rows(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "surface"]).astype("str")


def arranged(
    proposals: pd.DataFrame,
    catalog: pd.DataFrame,
    wanted: pd.DataFrame | None = None,
    bought: pd.DataFrame | None = None,
    **options,
) -> pd.DataFrame:
    wanted = wanted_rows() if wanted is None else wanted
    bought = bought_rows() if bought is None else bought
    settings = {
        "length": 10,
        "max_per_category": None,
        "diversity": 0.0,
        "exploration_share": 0.0,
        "seed": 1,
    }
    return arrange(proposals, catalog, wanted, bought, **(settings | options))


def lists(result: pd.DataFrame) -> dict[tuple[str, str], list[str]]:
    by_list = result.groupby(["customer_id", "surface"])
    return {key: rows["item_id"].tolist() for key, rows in by_list}


RANKED = ranked_rows(
    ("ann", "milk", 0.9, 1), ("ann", "bread", 0.5, 40), ("ann", "tea", 0.7, None),
    ("ann", "jam", 0.1, None), ("bob", "tea", 0.3, 7),
)  # fmt: skip
CANDIDATES = candidate_rows(
    ("trending", "all", "ann", "kale", 1.0), ("trending", "new", "ann", "oats", 1.0),
    ("trending", "all", "new", "kale", 1.0), ("ease", "all", "ann", "rice", 1.0),
    ("ease", "new", "ann", "rice", 1.0),
)  # fmt: skip
NOTHING_BOUGHT = bought_rows()
SEGMENTS = segment_rows(("new", "soap", 0.4, "popular_in_segment"), ("new", "milk", 0.3, "popular"))
EVERY_ITEM = [
    "milk", "bread", "tea", "jam", "eggs", "salt", "kale", "oats", "rice", "soap"
]  # fmt: skip


class TestPropose:
    def test_each_surface_has_its_source(self):
        proposals = propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT)
        assert proposals.columns.tolist() == PROPOSAL
        found = {
            key: sorted(rows["item_id"])
            for key, rows in proposals.groupby(["customer_id", "surface", "scored_by"])
        }
        assert found == {
            ("ann", "for_you", "ranker"): ["bread", "jam", "milk", "tea"],
            ("ann", "buy_again", "ranker"): ["bread", "milk"],
            ("ann", "discover", "ranker"): ["jam", "tea"],
            ("ann", "trending", "trending"): ["kale"],
            ("bob", "for_you", "ranker"): ["tea"],
            ("bob", "buy_again", "ranker"): ["tea"],
            ("new", "trending", "trending"): ["kale"],
            ("new", "cold_start", "segment_popularity"): ["milk", "soap"],
        }

    def test_scores_and_reasons_come_along(self):
        proposals = propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT).set_index(
            ["customer_id", "surface", "item_id"]
        )
        columns = ["score", "reason_code", "reason_item_id"]
        bread = proposals.loc[("ann", "buy_again", "bread"), columns]
        assert bread.tolist() == [0.5, "bought_before", "bread"]
        kale = proposals.loc[("ann", "trending", "kale"), columns]
        assert kale.tolist()[:2] == [1.0, "trending"]
        assert pd.isna(kale["reason_item_id"])
        soap = proposals.loc[("new", "cold_start", "soap"), columns]
        assert soap.tolist()[:2] == [0.4, "popular_in_segment"]

    def test_what_was_just_bought_is_on_no_surface(self):
        bought = bought_rows(("ann", "milk", True), ("bob", "tea", True), ("ann", "bread", False))
        everything = propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT)
        actual = propose(RANKED, CANDIDATES, SEGMENTS, bought)
        pairs = zip(everything["customer_id"], everything["item_id"], strict=True)
        is_left = [pair not in {("ann", "milk"), ("bob", "tea")} for pair in pairs]
        assert not all(is_left)
        pd.testing.assert_frame_equal(actual, everything[is_left].reset_index(drop=True))

    def test_nothing_to_propose(self):
        proposals = propose(RANKED.iloc[:0], CANDIDATES.iloc[:0], SEGMENTS.iloc[:0], NOTHING_BOUGHT)
        assert proposals.columns.tolist() == PROPOSAL
        assert proposals.empty


class TestFilling:
    CATALOG = products(EVERY_ITEM, recent_customers=[9, 8, 7, 6, 5, 4, 3, 2, 1, 0])

    def test_only_wanted_lists_that_are_short_are_filled_by_popularity(self):
        proposals = propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT)
        wanted = wanted_rows(("ann", "for_you"), ("new", "for_you"), ("new", "cold_start"))
        before = lists(arranged(proposals, self.CATALOG, length=6))
        result = arranged(proposals, self.CATALOG, wanted, length=6)
        expected = before | {
            ("ann", "for_you"): ["milk", "tea", "bread", "jam", "eggs", "salt"],
            ("new", "for_you"): ["milk", "bread", "tea", "jam", "eggs", "salt"],
            ("new", "cold_start"): ["soap", "milk", "bread", "tea", "jam", "eggs"],
        }
        assert lists(result) == expected
        filled = result[(result["customer_id"] == "ann") & (result["surface"] == "for_you")]
        assert filled["scored_by"].tolist() == ["ranker"] * 4 + ["popular"] * 2
        assert filled["score"].tolist()[4:] == [round(5 / 9, 6), round(4 / 9, 6)]
        assert filled["reason_code"].tolist()[4:] == ["popular"] * 2
        assert filled["reason_item_id"].isna().tolist() == [False] * 4 + [True] * 2
        full = arranged(proposals, self.CATALOG, wanted, length=2)
        assert lists(full)["ann", "for_you"] == ["milk", "tea"]

    def test_discover_is_filled_with_what_is_new_and_no_list_with_what_is_too_soon(self):
        proposals = propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT)
        wanted = wanted_rows(("ann", "for_you"), ("ann", "discover"))
        bought = bought_rows(("ann", "milk", False), ("ann", "bread", False), ("ann", "eggs", True))
        result = lists(arranged(proposals, self.CATALOG, wanted, bought, length=7))
        assert result["ann", "discover"] == ["tea", "jam", "salt", "kale", "oats", "rice", "soap"]
        assert result["ann", "for_you"] == ["milk", "tea", "bread", "jam", "salt", "kale", "oats"]

    def test_a_strict_limit_of_categories_does_not_leave_lists_short(self):
        """The 300 most popular items are of one category; the others follow far behind."""
        items = [f"i{place:03}" for place in range(330)]
        category = ["one"] * 300 + [f"other{place}" for place in range(30)]
        catalog = products(items, category=category, recent_customers=list(range(330, 0, -1)))
        wanted = wanted_rows(("ann", "for_you"))
        nothing = propose(RANKED.iloc[:0], CANDIDATES.iloc[:0], SEGMENTS.iloc[:0], NOTHING_BOUGHT)
        result = arranged(nothing, catalog, wanted, length=20, max_per_category=2)
        assert lists(result)["ann", "for_you"] == [*items[:2], *items[300:318]]


class TestArrange:
    def test_columns_types_order_and_ranks(self):
        result = arranged(
            propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT), products(EVERY_ITEM)
        )
        assert result.columns.tolist() == RESULT
        keys = ["customer_id", "surface", "rank"]
        pd.testing.assert_frame_equal(result, result.sort_values(keys, ignore_index=True))
        for _, rows in result.groupby(["customer_id", "surface"]):
            assert rows["rank"].tolist() == list(range(1, len(rows) + 1))
        nothing = arranged(propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT), products([]))
        assert nothing.empty
        assert nothing.dtypes.equals(result.dtypes)
        assert result["score"].dtype == "float64"
        assert result["rank"].dtype == "int64"

    def test_an_item_is_only_where_it_is_admitted(self):
        catalog = products(EVERY_ITEM)
        is_refused = (catalog["item_id"] == "tea") & (catalog["surface"] == "for_you")
        is_refused |= catalog["item_id"] == "kale"
        result = lists(
            arranged(propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT), catalog[~is_refused])
        )
        assert result["ann", "for_you"] == ["milk", "bread", "jam"]
        assert result["ann", "discover"] == ["tea", "jam"]
        assert ("ann", "trending") not in result
        assert ("bob", "for_you") not in result
        assert result["bob", "buy_again"] == ["tea"]

    def test_a_boost_multiplies_the_score_where_it_applies(self):
        catalog = products(EVERY_ITEM)
        is_boosted = (catalog["item_id"] == "jam") & (catalog["surface"] == "for_you")
        catalog["boost"] = catalog["boost"].mask(is_boosted, 7.5)
        result = arranged(propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT), catalog)
        assert lists(result)["ann", "for_you"] == ["milk", "jam", "tea", "bread"]
        assert lists(result)["ann", "discover"] == ["tea", "jam"]
        scores = result[result["item_id"] == "jam"].set_index("surface")["score"].to_dict()
        assert scores == {"for_you": 0.75, "discover": 0.1}

    def test_no_list_has_more_of_a_category_than_allowed(self):
        category = {
            item: "drink" if item in ("milk", "tea", "eggs") else item for item in EVERY_ITEM
        }
        catalog = products(
            EVERY_ITEM, category=list(category.values()), is_exploration=[True] * len(EVERY_ITEM)
        )
        proposals = propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT)
        wanted = wanted_rows(("ann", "for_you"), ("new", "discover"), ("new", "cold_start"))
        for limit in (1, 2):
            for share in (0.0, 0.5, 1.0):
                result = arranged(
                    proposals, catalog, wanted, max_per_category=limit, exploration_share=share
                )
                keys = [result["customer_id"], result["surface"], result["item_id"].map(category)]
                assert result.groupby(keys).size().max() == limit
        result = lists(arranged(proposals, catalog, max_per_category=1))
        assert result["ann", "for_you"] == ["milk", "bread", "jam"]
        assert result["ann", "discover"] == ["tea", "jam"]

    def test_diversity_moves_further_items_of_a_category_down(self):
        category = ["drink" if item in ("milk", "tea") else item for item in EVERY_ITEM]
        catalog = products(EVERY_ITEM, category=category)
        proposals = propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT)
        result = lists(arranged(proposals, catalog, diversity=0.5))
        assert result["ann", "for_you"] == ["milk", "bread", "tea", "jam"]

    def test_the_order_of_rows_does_not_matter(self):
        proposals, catalog = (
            propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT),
            products(EVERY_ITEM),
        )
        expected = arranged(proposals, catalog)
        shuffled = proposals.sample(frac=1, random_state=0), catalog.sample(frac=1, random_state=0)
        pd.testing.assert_frame_equal(arranged(*shuffled), expected)

    def test_needs_its_columns(self):
        proposals, catalog = (
            propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT),
            products(EVERY_ITEM),
        )
        with pytest.raises(ValueError, match="surface"):
            arranged(proposals.drop(columns="surface"), catalog)
        with pytest.raises(ValueError, match="boost"):
            arranged(proposals, catalog.drop(columns="boost"))


class TestExploration:
    N_ITEMS = 20

    def settings(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Twenty known items in the lists of all surfaces, and as many to explore."""
        known = [f"known{i:02}" for i in range(self.N_ITEMS)]
        rare = [f"rare{i:02}" for i in range(self.N_ITEMS)]
        customers = [f"c{i}" for i in range(5)]
        proposals = pd.DataFrame(
            [
                (customer, surface, item, 1 - place / 100, "popular", None, "popular")
                for customer in customers
                for surface in SURFACES
                for place, item in enumerate(known)
            ],
            columns=PROPOSAL,
        )
        is_rare = [False] * self.N_ITEMS + [True] * self.N_ITEMS
        return proposals, products(known + rare, is_exploration=is_rare)

    def test_only_the_last_places_of_cold_start(self):
        proposals, catalog = self.settings()
        result = arranged(proposals, catalog, exploration_share=0.3)
        drawn = result[result["is_exploration"]]
        assert set(drawn["surface"]) == {"cold_start"}
        assert drawn.groupby("customer_id")["rank"].apply(list).tolist() == [[8, 9, 10]] * 5
        assert drawn["item_id"].str.startswith("rare").all()
        assert (drawn[["reason_code", "scored_by"]] == "exploration").all(axis=None)
        assert (drawn["score"] == 0).all()
        assert drawn["reason_item_id"].isna().all()
        rest = result[~result["is_exploration"]]
        assert rest["item_id"].str.startswith("known").all()
        assert (rest[["reason_code", "scored_by"]] == "popular").all(axis=None)

    def test_no_share_no_exploration(self):
        result = arranged(*self.settings())
        assert not result["is_exploration"].any()
        assert result["is_exploration"].dtype == bool

    def test_a_seed_draws_the_same_again_and_another_seed_others(self):
        proposals, catalog = self.settings()
        first, again, other = (
            arranged(proposals, catalog, exploration_share=0.5, seed=seed) for seed in (1, 1, 2)
        )
        pd.testing.assert_frame_equal(first, again)
        is_drawn = first["is_exploration"]
        assert first.loc[is_drawn, "item_id"].tolist() != other.loc[is_drawn, "item_id"].tolist()
        draws = first[is_drawn].groupby("customer_id")["item_id"].apply(tuple)
        assert draws.nunique() == 5
        pd.testing.assert_frame_equal(first[~is_drawn], other[~is_drawn])

    def test_what_cold_start_does_not_admit_is_not_explored(self):
        proposals, catalog = self.settings()
        is_refused = (catalog["item_id"] != "rare07") & catalog["is_exploration"]
        is_refused &= catalog["surface"] == "cold_start"
        result = arranged(proposals, catalog[~is_refused], exploration_share=0.5)
        drawn = result[result["is_exploration"]]
        assert set(drawn["item_id"]) == {"rare07"}
        assert len(drawn) == 5

    def test_what_a_customer_has_bought_is_not_explored(self):
        proposals, catalog = self.settings()
        wanted = wanted_rows(*((f"c{i}", "cold_start") for i in range(5)))
        rare = sorted(set(catalog.loc[catalog["is_exploration"], "item_id"]))
        bought = bought_rows(*(("c0", item, item < "rare05") for item in rare[:-2]))
        result = arranged(proposals, catalog, wanted, bought, exploration_share=0.5)
        drawn = result[result["is_exploration"]].groupby("customer_id")["item_id"].apply(set)
        assert drawn["c0"] == set(rare[-2:])
        assert drawn.drop("c0").map(len).eq(5).all()


def test_customers_without_any_history_get_lists():
    """Whom nobody knows sees what is popular, what is rising and what the segment buys."""
    strangers = [f"stranger{i}" for i in range(3)]
    candidates = candidate_rows(*(("trending", "all", s, "i2", 1.0) for s in strangers))
    segments = segment_rows(
        *((s, f"i{place}", 1 / (place + 1), "popular") for s in strangers for place in (3, 1))
    )
    wanted = wanted_rows(*((s, surface) for s in strangers for surface in SURFACES[::2]))
    wanted = pd.concat([wanted, wanted_rows(*((s, "trending") for s in strangers))])
    proposals = propose(RANKED.iloc[:0], candidates, segments, NOTHING_BOUGHT)
    catalog = products([f"i{i}" for i in range(4)], recent_customers=[4, 3, 2, 1])
    result = lists(arranged(proposals, catalog, wanted))
    for stranger in strangers:
        assert result[stranger, "for_you"] == ["i0", "i1", "i2", "i3"]
        assert result[stranger, "discover"] == ["i0", "i1", "i2", "i3"]
        assert result[stranger, "trending"] == ["i2", "i0", "i1", "i3"]
        assert result[stranger, "cold_start"] == ["i1", "i3", "i0", "i2"]
        assert (stranger, "buy_again") not in result
