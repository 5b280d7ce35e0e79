"""What is planted can be recovered from what is written, by means of its own."""

from math import exp, sqrt

import pytest
from simulated import Simulated, assert_rate

from simulation.parameters import Rates

RATES = Rates()


def test_sessions_follow_from_the_events_alone(shop: Simulated) -> None:
    # The rule of 30 minutes on what was written, each event once, against the true sessions.
    differences = shop.query(
        """
        with events as (
            select distinct event_id, anonymous_id, occurred_at
            from rows
            where event_id not like '%-broken' and event_type <> 'email_open'
        ),
        marked as (
            select
                *,
                occurred_at - lag(occurred_at) over visitor > interval 30 minutes as is_later
            from events
            window visitor as (partition by anonymous_id order by occurred_at)
        ),
        sessionized as (
            select
                *,
                sum(coalesce(is_later, true)::int) over (
                    partition by anonymous_id order by occurred_at
                ) as session_number
            from marked
        ),
        found as (
            select anonymous_id, list(event_id order by event_id) as event_ids
            from sessionized
            group by anonymous_id, session_number
        ),
        truth as (
            select sessions.anonymous_id, list(event_id order by event_id) as event_ids
            from 'truth/events/*.parquet' as events
            inner join 'truth/sessions/*.parquet' as sessions using (session_id)
            group by sessions.anonymous_id, session_id
        )
        select count(*), count(found.event_ids), count(truth.event_ids)
        from found
        full join truth using (anonymous_id, event_ids)
        """
    )
    ((rows, found, true),) = differences
    assert rows == found == true > 10_000


def test_true_sessions_tell_their_span_and_size(shop: Simulated) -> None:
    wrong = shop.query(
        """
        select session_id
        from 'truth/sessions/*.parquet' as sessions
        inner join 'truth/events/*.parquet' as events using (session_id)
        inner join (select distinct event_id, occurred_at from rows) using (event_id)
        group by session_id
        having
            count(*) <> any_value(sessions.events)
            or min(occurred_at) <> any_value(started_at)
            or max(occurred_at) <> any_value(ended_at)
        """
    )
    assert wrong == []


def test_sessions_cross_midnight(shop: Simulated) -> None:
    ((crossing,),) = shop.query(
        "select count(*) from 'truth/sessions/*.parquet' "
        "where (started_at - interval 5 hours)::date < (ended_at - interval 5 hours)::date"
    )
    assert crossing > 0


def test_every_step_of_the_funnel_has_its_probability(shop: Simulated) -> None:
    # From the events themselves: which types a session has.
    steps = shop.query(
        """
        with reached as (
            select
                session_id,
                bool_or(event_type = 'product_view') as has_view,
                bool_or(event_type = 'add_to_cart') as has_cart,
                bool_or(event_type = 'checkout') as has_checkout,
                bool_or(event_type = 'place_order') as has_order
            from rows
            inner join 'truth/events/*.parquet' using (event_id)
            where session_id is not null
            group by session_id
        ),
        counted as (
            select
                channel,
                segment,
                count(*) as sessions,
                count(*) filter (where r.has_view) as views,
                count(*) filter (where r.has_cart) as carts,
                count(*) filter (where r.has_cart and can_check_out) as able,
                count(*) filter (where r.has_checkout) as checkouts,
                count(*) filter (where r.has_order) as orders
            from 'truth/sessions/*.parquet'
            inner join reached as r using (session_id)
            group by channel, segment
        )
        select counted.*, step, probability
        from counted
        inner join 'truth/funnel_steps.parquet' using (channel, segment)
        """
    )
    judged = 0
    for _, _, sessions, views, carts, able, checkouts, orders, step, probability in steps:
        successes, trials = {
            "view": (views, sessions),
            "cart": (carts, views),
            "checkout": (checkouts, able),
            "order": (orders, checkouts),
        }[step]
        if trials >= 30:
            assert_rate(successes, trials, probability)
            judged += 1
    assert judged > 60


def test_whoever_cannot_log_in_never_checks_out(shop: Simulated) -> None:
    assert shop.query(
        "select count(*) from 'truth/sessions/*.parquet' where has_checkout and not can_check_out"
    ) == [(0,)]


@pytest.mark.parametrize(
    ("counted", "uplift"),
    [
        ("count(session_id)", RATES.campaign_visit_uplift),
        ("count(session_id) filter (where is_converted)", RATES.purchase_uplift()),
    ],
    ids=["visits", "purchases"],
)
def test_a_campaigns_uplift_is_within_its_interval(
    shop: Simulated, counted: str, uplift: float
) -> None:
    # Those contacted against those held out, as the shop's own tables tell who is who.
    groups = shop.query(
        f"""
        with people as (
            select contacts.customer_id, is_holdout, {counted} as outcomes
            from 'shop/campaign_contacts.parquet' as contacts
            inner join 'shop/campaigns.parquet' as campaigns using (campaign_id)
            left join 'truth/sessions/*.parquet' as sessions
                on contacts.customer_id = sessions.customer_id
                and sessions.started_at >= campaigns.starts_at
                and sessions.started_at < campaigns.ends_at
            group by contacts.customer_id, contacts.campaign_id, is_holdout
        )
        select is_holdout, count(*), avg(outcomes), var_samp(outcomes)
        from people
        group by is_holdout
        order by is_holdout
        """
    )
    (_, contacted, mean, variance), (_, held_out, base_mean, base_variance) = groups
    ratio = mean / base_mean
    # The delta method for the logarithm of a ratio of means.
    error = sqrt(variance / contacted / mean**2 + base_variance / held_out / base_mean**2)
    assert ratio * exp(-3.3 * error) < 1 + uplift < ratio * exp(3.3 * error)
    assert ratio * exp(-3.3 * error) > 1


def test_the_holdout_is_drawn_at_random(shop: Simulated) -> None:
    contacts = shop.query(
        "select segment, count(*) filter (where is_holdout), count(*) "
        "from 'shop/campaign_contacts.parquet' "
        "inner join 'truth/people.parquet' using (customer_id) group by segment"
    )
    for _, held_out, people in contacts:
        assert_rate(held_out, people, RATES.campaign_holdout_share)


def test_only_who_agreed_is_contacted(shop: Simulated) -> None:
    unasked = shop.query(
        """
        select count(*)
        from 'shop/campaign_contacts.parquet' as contacts
        where coalesce((
            select arg_max(is_granted, changed_at)
            from 'shop/consents.parquet' as consents
            where
                consents.customer_id = contacts.customer_id
                and purpose = 'email'
                and changed_at <= contacted_at
        ), false) is false
        """
    )
    assert unasked == [(0,)]


def test_visits_follow_the_seasons(shop: Simulated) -> None:
    # Sessions of one device push each other on a little, so hours are compared by larger parts.
    ((night, evening, sessions),) = shop.query(
        """
        with hours as (
            select hour(started_at - interval 5 hours) as hour
            from 'truth/sessions/*.parquet'
            where channel <> 'email'
        )
        select count(*) filter (where hour < 6), count(*) filter (where hour >= 18), count(*)
        from hours
        """
    )
    assert_rate(night, sessions, sum(RATES.hour_weights[:6]) / 1000)
    assert_rate(evening, sessions, sum(RATES.hour_weights[18:]) / 1000)


def test_people_view_their_categories(shop: Simulated) -> None:
    ((first, views),) = shop.query(
        """
        select count(*) filter (where category = first_category), count(*)
        from (select event_id, line ->> '$.product_id' as product_id from rows
              where event_type = 'product_view' and event_id not like '%-broken')
        inner join 'truth/events/*.parquet' using (event_id)
        inner join 'truth/people.parquet' using (person_id)
        inner join 'shop/products.parquet' using (product_id)
        """
    )
    # A view beyond the three categories goes to any of the twenty, the first one among them.
    assert 0.40 < first / views < 0.44


def test_devices_stand_for_whom_they_stand(shop: Simulated) -> None:
    facts = dict(
        shop.query(
            """
            with devices as (
                select anonymous_id, count(*) as people, any_value(is_shared) as is_shared
                from 'truth/identities.parquet'
                group by anonymous_id
            )
            select 'wrongly shared', count(*) from devices where (people > 1) <> is_shared
            union all
            select 'shared', count(*) from devices where is_shared
            union all
            select 'shared by more than two', count(*) from devices where people > 2
            union all
            select 'by e-mail only', count(*) from 'truth/identities.parquet'
            where link = 'email' and email_links > 0 and logins = 0
            union all
            select 'wrong customer', count(*) from rows
            inner join 'truth/events/*.parquet' using (event_id)
            inner join 'truth/people.parquet' as people using (person_id)
            where rows.customer_id <> people.customer_id
            """
        )
    )
    assert facts["wrongly shared"] == facts["shared by more than two"] == 0
    assert facts["wrong customer"] == 0
    assert facts["shared"] > 100
    assert facts["by e-mail only"] > 100


def test_logins_can_be_read_from_the_events(shop: Simulated) -> None:
    wrong = shop.query(
        """
        with seen as (
            select anonymous_id, customer_id, count(distinct event_id) as logins
            from rows
            where event_type = 'identify' and event_id not like '%-broken'
                and customer_id is not null
            group by all
        )
        select *
        from (from 'truth/identities.parquet' where logins > 0) as truth
        full join seen using (anonymous_id, customer_id)
        where truth.logins is distinct from seen.logins
        """
    )
    assert wrong == []


def test_an_address_leads_to_its_customer(shop: Simulated) -> None:
    ((told, matching),) = shop.query(
        """
        select
            count(*),
            count(*) filter (where email_hash = sha256(lower(trim(email))))
        from rows
        inner join 'truth/events/*.parquet' using (event_id)
        inner join 'truth/people.parquet' as people using (person_id)
        inner join 'shop/customers.parquet' as customers
            on people.customer_id = customers.customer_id
        where email is not null
        """
    )
    assert told == matching > 0
