import pandas as pd
import pytest

from personalization.surfaces import arrange, propose

SURFACES = ["for_you", "buy_again", "discover", "trending", "cold_start"]
PROPOSAL = [
    "customer_id", "surface", "tier", "item_id", "score", "reason_code", "reason_item_id",
    "scored_by",
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
    defaults = {"boost": 1.0, "popularity": 1, "category": None, "is_exploration": False}
    frame = pd.DataFrame({"item_id": pd.array(items, dtype="str")} | defaults | columns)
    frame["category"] = frame["category"].fillna("of " + frame["item_id"])
    return frame.merge(pd.DataFrame({"surface": surfaces}), how="cross")


def arranged(proposals: pd.DataFrame, catalog: pd.DataFrame, **options) -> pd.DataFrame:
    settings = {
        "length": 10,
        "max_per_category": None,
        "diversity": 0.0,
        "exploration_share": 0.0,
        "seed": 1,
    }
    return arrange(proposals, catalog, **(settings | options))


def lists(result: pd.DataFrame) -> dict[tuple[str, str], list[str]]:
    by_list = result.groupby(["customer_id", "surface"])
    return {key: rows["item_id"].tolist() for key, rows in by_list}


RANKED = ranked_rows(
    ("ann", "milk", 0.9, 1), ("ann", "bread", 0.5, 40), ("ann", "tea", 0.7, None),
    ("ann", "jam", 0.1, None), ("bob", "tea", 0.3, 7),
)  # fmt: skip
CANDIDATES = candidate_rows(
    ("popular", "all", "ann", "milk", 1.0), ("popular", "all", "ann", "eggs", 0.5),
    ("popular", "new", "ann", "eggs", 1.0), ("popular", "new", "ann", "salt", 0.25),
    ("popular", "all", "new", "milk", 1.0), ("popular", "new", "new", "milk", 1.0),
    ("trending", "all", "ann", "kale", 1.0), ("trending", "new", "ann", "oats", 1.0),
    ("trending", "all", "new", "kale", 1.0), ("ease", "all", "ann", "rice", 1.0),
    ("ease", "new", "ann", "rice", 1.0),
)  # fmt: skip
NOTHING_BOUGHT = pd.DataFrame({"customer_id": [], "item_id": []}, dtype="str")
SEGMENTS = segment_rows(("new", "soap", 0.4, "popular_in_segment"), ("new", "milk", 0.3, "popular"))
EVERY_ITEM = [
    "milk", "bread", "tea", "jam", "eggs", "salt", "kale", "oats", "rice", "soap"
]  # fmt: skip


class TestPropose:
    def test_each_surface_has_its_tiers(self):
        proposals = propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT)
        assert proposals.columns.tolist() == PROPOSAL
        found = {
            key: sorted(rows["item_id"])
            for key, rows in proposals.groupby(["customer_id", "surface", "tier", "scored_by"])
        }
        assert found == {
            ("ann", "for_you", 1, "ranker"): ["bread", "jam", "milk", "tea"],
            ("ann", "for_you", 2, "popular"): ["eggs", "milk"],
            ("ann", "buy_again", 1, "ranker"): ["bread", "milk"],
            ("ann", "discover", 1, "ranker"): ["jam", "tea"],
            ("ann", "discover", 2, "popular"): ["eggs", "salt"],
            ("ann", "trending", 1, "trending"): ["kale"],
            ("bob", "for_you", 1, "ranker"): ["tea"],
            ("bob", "buy_again", 1, "ranker"): ["tea"],
            ("new", "for_you", 2, "popular"): ["milk"],
            ("new", "discover", 2, "popular"): ["milk"],
            ("new", "trending", 1, "trending"): ["kale"],
            ("new", "cold_start", 1, "popular_in_segment"): ["milk", "soap"],
        }

    def test_scores_and_reasons_come_along(self):
        proposals = propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT).set_index(
            ["customer_id", "surface", "tier", "item_id"]
        )
        columns = ["score", "reason_code", "reason_item_id"]
        bread = proposals.loc[("ann", "buy_again", 1, "bread"), columns]
        assert bread.tolist() == [0.5, "bought_before", "bread"]
        eggs = proposals.loc[("ann", "discover", 2, "eggs"), columns]
        assert eggs.tolist()[:2] == [1.0, "popular"]
        assert pd.isna(eggs["reason_item_id"])
        soap = proposals.loc[("new", "cold_start", 1, "soap"), columns]
        assert soap.tolist()[:2] == [0.4, "popular_in_segment"]

    @pytest.mark.parametrize(
        ("days", "left_out"),
        [
            (0, set()),
            (1, set()),
            (2, {("ann", "milk")}),
            (8, {("ann", "milk"), ("bob", "tea")}),
            (41, {("ann", "milk"), ("bob", "tea"), ("ann", "bread")}),
        ],
    )
    def test_what_was_just_bought_is_on_no_surface(self, days, left_out):
        everything = propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT)
        is_recent = RANKED["days_since_last_purchase"] < days
        bought_lately = RANKED.loc[is_recent, ["customer_id", "item_id"]]
        actual = propose(RANKED, CANDIDATES, SEGMENTS, bought_lately)
        pairs = zip(everything["customer_id"], everything["item_id"], strict=True)
        expected = everything[[pair not in left_out for pair in pairs]].reset_index(drop=True)
        pd.testing.assert_frame_equal(actual, expected)

    def test_nothing_to_propose(self):
        proposals = propose(RANKED.iloc[:0], CANDIDATES.iloc[:0], SEGMENTS.iloc[:0], NOTHING_BOUGHT)
        assert proposals.columns.tolist() == PROPOSAL
        assert proposals.empty


class TestArrange:
    def test_tiers_fill_what_lower_ones_leave_and_items_come_once(self):
        proposals = propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT)
        result = arranged(proposals, products(EVERY_ITEM), length=5)
        assert lists(result) == {
            ("ann", "for_you"): ["milk", "tea", "bread", "jam", "eggs"],
            ("ann", "buy_again"): ["milk", "bread"],
            ("ann", "discover"): ["tea", "jam", "eggs", "salt"],
            ("ann", "trending"): ["kale"],
            ("bob", "for_you"): ["tea"],
            ("bob", "buy_again"): ["tea"],
            ("new", "for_you"): ["milk"],
            ("new", "discover"): ["milk"],
            ("new", "trending"): ["kale"],
            ("new", "cold_start"): ["soap", "milk"],
        }
        milk = result[(result["item_id"] == "milk") & (result["surface"] == "for_you")]
        assert milk.set_index("customer_id")["scored_by"].to_dict() == {
            "ann": "ranker",
            "new": "popular",
        }
        short = arranged(proposals, products(EVERY_ITEM), length=2)
        assert lists(short)["ann", "for_you"] == ["milk", "tea"]

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
        assert result["ann", "for_you"] == ["milk", "bread", "jam", "eggs"]
        assert result["ann", "discover"] == ["tea", "jam", "eggs", "salt"]
        assert ("ann", "trending") not in result
        assert ("bob", "for_you") not in result
        assert result["bob", "buy_again"] == ["tea"]

    def test_a_boost_multiplies_the_score_where_it_applies(self):
        catalog = products(EVERY_ITEM)
        is_boosted = (catalog["item_id"] == "jam") & (catalog["surface"] == "for_you")
        catalog["boost"] = catalog["boost"].mask(is_boosted, 7.5)
        result = arranged(propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT), catalog)
        assert lists(result)["ann", "for_you"] == ["milk", "jam", "tea", "bread", "eggs"]
        assert lists(result)["ann", "discover"] == ["tea", "jam", "eggs", "salt"]
        scores = result[result["item_id"] == "jam"].set_index("surface")["score"].to_dict()
        assert scores == {"for_you": 0.75, "discover": 0.1}

    def test_a_boost_does_not_lift_an_item_over_a_tier(self):
        catalog = products(EVERY_ITEM, boost=[100.0 if i == "eggs" else 1.0 for i in EVERY_ITEM])
        result = lists(arranged(propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT), catalog))
        assert result["ann", "for_you"] == ["milk", "tea", "bread", "jam", "eggs"]

    def test_no_list_has_more_of_a_category_than_allowed(self):
        category = {
            item: "drink" if item in ("milk", "tea", "eggs") else item for item in EVERY_ITEM
        }
        catalog = products(
            EVERY_ITEM, category=list(category.values()), is_exploration=[True] * len(EVERY_ITEM)
        )
        proposals = propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT)
        for limit in (1, 2):
            for share in (0.0, 0.5, 1.0):
                result = arranged(
                    proposals, catalog, max_per_category=limit, exploration_share=share
                )
                keys = [result["customer_id"], result["surface"], result["item_id"].map(category)]
                assert result.groupby(keys).size().max() == limit
        result = lists(arranged(proposals, catalog, max_per_category=1))
        assert result["ann", "for_you"] == ["milk", "bread", "jam"]
        assert result["ann", "discover"] == ["tea", "jam", "salt"]

    def test_diversity_moves_further_items_of_a_category_down(self):
        category = ["drink" if item in ("milk", "tea") else item for item in EVERY_ITEM]
        catalog = products(EVERY_ITEM, category=category)
        proposals = propose(RANKED, CANDIDATES, SEGMENTS, NOTHING_BOUGHT)
        result = lists(arranged(proposals, catalog, diversity=0.5))
        assert result["ann", "for_you"] == ["milk", "bread", "tea", "jam", "eggs"]

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
        with pytest.raises(ValueError, match="tier"):
            arranged(proposals.drop(columns="tier"), catalog)
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
                (customer, surface, 1, item, 1 - place / 100, "popular", None, "popular")
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


def test_customers_without_any_history_get_lists():
    """Whom nobody knows sees what is popular, what is rising and what the segment buys."""
    strangers = [f"stranger{i}" for i in range(3)]
    candidates = candidate_rows(
        *(
            (generator, scope, stranger, f"i{place}", 1 / (place + 1))
            for generator in ("popular", "trending")
            for scope in ("all", "new")
            for stranger in strangers
            for place in range(4)
        )
    )
    segments = segment_rows(
        *((s, f"i{place}", 1 / (place + 1), "popular") for s in strangers for place in range(3))
    )
    proposals = propose(RANKED.iloc[:0], candidates, segments, NOTHING_BOUGHT)
    result = lists(arranged(proposals, products([f"i{i}" for i in range(4)])))
    expected = ["i0", "i1", "i2", "i3"]
    for stranger in strangers:
        for surface in ("for_you", "discover", "trending"):
            assert result[stranger, surface] == expected
        assert result[stranger, "cold_start"] == expected[:3]
        assert (stranger, "buy_again") not in result
