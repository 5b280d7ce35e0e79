"""What is planted: every rate of the simulated shop, with its default."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Final


@dataclass(frozen=True)
class Segment:
    """A kind of customer.

    Attributes:
        share: Share among the customers.
        visits_per_week: Visits in an average week while the customer stays with the shop.
        cart_factor: How much likelier than others they put something they viewed into the cart.
        daily_churn: Hazard of leaving for good, per day.
        price_sensitivity: Probability to look at two products and view the cheaper.
        joins_late: Whether they join on a day of the simulated time, not before it.
        discount: Share of the price that they are let off.
    """

    share: float
    visits_per_week: float
    cart_factor: float
    daily_churn: float
    price_sensitivity: float
    joins_late: bool = False
    discount: float = 0.0


@dataclass(frozen=True)
class Channel:
    """Where sessions come from, and how far they get: the steps of the funnel.

    Attributes:
        share: Share among the sessions without a campaign; that of e-mail is 0.
        view: Probability that a session views a product.
        cart: That it puts one into the cart, if it has viewed one; times the segment's factor.
        checkout: That it goes on to the checkout, if somebody who can log in has a full cart.
        order: That it places the order at the checkout.
        source: Traffic source.
        medium: Traffic medium.
        campaign: Traffic campaign; of an e-mail it is the id of the campaign.
        referrer: Host of the referring page.
    """

    share: float
    view: float
    cart: float
    checkout: float
    order: float
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    referrer: str | None = None


_SEGMENTS = {
    "loyal": Segment(0.10, 2.5, 1.5, 0.0005, 0.1, discount=0.05),
    "regular": Segment(0.25, 1.2, 1.2, 0.001, 0.2),
    "occasional": Segment(0.35, 0.4, 1.0, 0.002, 0.3),
    "bargain_hunter": Segment(0.15, 0.8, 0.7, 0.0015, 0.9),
    "new": Segment(0.15, 0.7, 0.8, 0.004, 0.3, joins_late=True),
}
_CHANNELS = {
    "direct": Channel(0.30, 0.75, 0.30, 0.60, 0.80),
    "organic_search": Channel(
        0.28, 0.70, 0.22, 0.50, 0.75, "google", "organic", referrer="www.google.com"
    ),
    "paid_search": Channel(
        0.17, 0.65, 0.18, 0.45, 0.70, "google", "cpc", "brand", "www.google.com"
    ),
    "social": Channel(
        0.15, 0.50, 0.10, 0.40, 0.65, "instagram", "social", referrer="l.instagram.com"
    ),
    "referral": Channel(
        0.10, 0.60, 0.15, 0.45, 0.70, "blog.example.org", "referral", referrer="blog.example.org"
    ),
    "email": Channel(0.0, 0.85, 0.35, 0.60, 0.80, "newsletter", "email"),
}
_HOURS = (6, 4, 3, 2, 2, 4, 12, 26, 38, 46, 52, 54, 58, 54, 50, 50, 52, 58, 68, 82, 96, 88, 62, 33)


@dataclass(frozen=True)
class Rates:
    """Every rate of the simulated shop. Shares and probabilities lie between 0 and 1.

    Attributes:
        segments: Kinds of customers.
        visitors: People who never log in, the segment `visitor`; their share does not matter.
        channels: Where sessions come from; `email` is where those of campaigns come from.
        weekday_factors: Visits on Monday to Sunday relative to an average day; their mean is 1.
        hour_weights: How visits spread over the hours of the shop's clock; they sum to 1000.
        utc_offset_hours: The shop's clock relative to UTC, without daylight saving.
        day_starts_at_hour: Where one day of visits ends and the next begins on the shop's clock;
            no session goes on beyond it, while sessions do go on beyond midnight.
        visitors_per_customer: How many people who never log in there are for each customer.
        shared_household_share: Share of the pairs of neighboring customers who share a tablet.
        two_devices_share: Share of people with a second device of their own.
        three_devices_share: Share of people with a third one, too.
        email_link_only_share: Share of customers with a second device on which they never log in
            and only an e-mail address links it to them.
        login_share: Share of sessions of customers that log in before the checkout, or on a device
            linked by e-mail only, tell their e-mail address.
        login_email_share: Share of logins that tell the e-mail address, too.
        mean_views: Mean product views of a session that views any.
        mean_pages: Mean pages of a session that views no product.
        search_share: Share of product views that a search led to.
        category_page_share: Share of the other product views that a category page led to.
        zero_result_share: Share of searches that were misspelled first, and found nothing.
        further_cart_share: Share of the further product views of a session with a cart that put
            their product into it, too.
        removal_share: Share of these that are taken out of the cart again.
        further_unit_share: Share of additions to the cart that are of two or three units, not one.
        share_share: Share of product views after which the product is shared.
        review_share: Share of product views after which it is reviewed.
        dwell_median_seconds: Median time on a page.
        dwell_sigma: Standard deviation of its logarithm.
        dwell_known_share: Share of page and product views that tell the time on the page.
        favorite_share: Share of product views that go to one of a person's favorites.
        favorites: How many favorites a person has.
        first_category_share: Share of other views in a person's first category.
        second_category_share: In the second.
        third_category_share: In the third; what is left goes to any category by popularity.
        popularity_exponent: Exponent of Zipf's law within a category.
        email_consent_share: Share of customers who agree to e-mails.
        consent_withdrawal_share: Share of those who take that back within the simulated time.
        campaign_first_day: Day on which the first e-mail campaign starts, from 0.
        campaign_interval_days: Days between the starts of two campaigns.
        campaign_effect_days: For how many days a campaign brings more visits.
        campaign_holdout_share: Share of those to be contacted who are held out at random.
        campaign_visit_uplift: By how much more those contacted visit during its effect, all of
            these visits by a click on the e-mail.
        campaign_open_share: Share of those contacted who open the e-mail.
        late_share: Share of events received 1 to lookback_days days after they occurred.
        lookback_days: Up to how many days late the late ones are.
        very_late_share: Share of these that are received even later than that.
        very_late_days: By up to how many days more.
        duplicate_share: Share of events that are written twice.
        moved_duplicate_share: Share of these whose second row is received a day later than the
            first; the others are equal in all columns.
        broken_share: Broken rows, as a share of the events; each is a spoilt copy of an event
            under an id of its own, so no event is lost by it.
    """

    segments: Mapping[str, Segment] = field(default_factory=lambda: dict(_SEGMENTS))
    visitors: Segment = Segment(0.0, 0.5, 1.0, 0.001, 0.3)
    channels: Mapping[str, Channel] = field(default_factory=lambda: dict(_CHANNELS))
    weekday_factors: tuple[float, ...] = (0.95, 0.9, 0.9, 0.95, 1.05, 1.15, 1.1)
    hour_weights: tuple[int, ...] = _HOURS
    utc_offset_hours: int = -5
    day_starts_at_hour: int = 4

    visitors_per_customer: float = 0.5
    shared_household_share: float = 0.1
    two_devices_share: float = 0.4
    three_devices_share: float = 0.1
    email_link_only_share: float = 0.2
    login_share: float = 0.2
    login_email_share: float = 0.3

    mean_views: float = 3.0
    mean_pages: float = 1.6
    search_share: float = 0.3
    category_page_share: float = 0.4
    zero_result_share: float = 0.08
    further_cart_share: float = 0.25
    removal_share: float = 0.3
    further_unit_share: float = 0.2
    share_share: float = 0.01
    review_share: float = 0.015
    dwell_median_seconds: float = 25.0
    dwell_sigma: float = 1.0
    dwell_known_share: float = 0.8

    favorite_share: float = 0.3
    favorites: int = 5
    first_category_share: float = 0.4
    second_category_share: float = 0.2
    third_category_share: float = 0.1
    popularity_exponent: float = 0.8

    email_consent_share: float = 0.8
    consent_withdrawal_share: float = 0.05
    campaign_first_day: int = 7
    campaign_interval_days: int = 28
    campaign_effect_days: int = 7
    campaign_holdout_share: float = 0.3
    campaign_visit_uplift: float = 0.5
    campaign_open_share: float = 0.35

    late_share: float = 0.02
    lookback_days: int = 3
    very_late_share: float = 0.1
    very_late_days: int = 30
    duplicate_share: float = 0.01
    moved_duplicate_share: float = 0.3
    broken_share: float = 0.005

    def __post_init__(self) -> None:
        """Check what the truth rests on.

        Raises:
            ValueError: If a share is none, shares do not sum to one, or rates contradict another.
        """
        for name, value in self.scalars().items():
            if name.endswith("_share") and not 0 <= value <= 1:
                raise ValueError(f"{name} is {value}, expected between 0 and 1")
        for name, total, expected in (
            ("the shares of segments", sum(s.share for s in self.segments.values()), 1),
            ("the shares of channels", sum(c.share for c in self.channels.values()), 1),
            ("weekday_factors", sum(self.weekday_factors), 7),
            ("hour_weights", sum(self.hour_weights), 1000),
        ):
            if abs(total - expected) > 1e-9:
                raise ValueError(f"{name} sum to {total}, expected {expected}")
        most = max(s.cart_factor for s in self.segments.values())
        if most * max(c.cart for c in self.channels.values()) > 1:
            raise ValueError("a channel's cart times a segment's cart_factor is above 1")
        if self.campaign_effect_days > self.campaign_interval_days:
            raise ValueError("campaign_effect_days is above campaign_interval_days")

    def scalars(self) -> dict[str, float]:
        """Return the rates that are single numbers, by name."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, int | float)}

    def purchase_uplift(self) -> float:
        """Return by how much more those contacted order during a campaign's effect.

        Further visits come by e-mail, so the uplift of visits counts as much more as an e-mail's
        session is likelier to order than another. Segments and devices matter to both alike.
        """
        email = self.channels["email"]
        usual = sum(channel.share * order_rate(channel) for channel in self.channels.values())
        return self.campaign_visit_uplift * order_rate(email) / usual


def order_rate(channel: Channel) -> float:
    """Return the probability that a session ends in an order, at a cart factor of 1."""
    return channel.view * channel.cart * channel.checkout * channel.order


NO_FAULTS: Final[Mapping[str, float]] = {
    "late_share": 0.0,
    "duplicate_share": 0.0,
    "broken_share": 0.0,
}
"""Rates by which every event is written once, in time and unbroken."""
