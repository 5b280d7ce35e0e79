with

order_lines as (

    select * from {{ ref('int_order_lines_enriched') }}

),

cutoffs as (

    select
        as_of_date,
        is_newest
    from {{ ref('int_cutoffs_spined') }}
    where step <= {{ var('recommendation_backtests') + var('ranker_training_windows') }}

),

-- One purchase of an item is one order that holds it, however many lines or units. It is none from
-- the day on which all of them are known to have come back.
purchases as (

    select
        customer_id,
        product_id,
        order_id,
        order_date,
        min(known_date) as known_date,
        case when count(returned_date) = count(*) then max(returned_date) end as returned_date
    from order_lines
    where
        customer_id is not null
        and units > 0
        and not is_return
    group by customer_id, product_id, order_id, order_date

),

known_purchases as (

    select
        cutoffs.as_of_date,
        cutoffs.is_newest,
        purchases.customer_id,
        purchases.product_id,
        {{ days_between('purchases.order_date', 'cutoffs.as_of_date') }} as age_days
    from purchases
    inner join cutoffs
        on purchases.known_date < cutoffs.as_of_date
    where
        purchases.returned_date is null
        or purchases.returned_date >= cutoffs.as_of_date

),

final as (

    select
        as_of_date,
        is_newest,
        customer_id,
        product_id,
        count(*) as purchase_count,
        count(case when age_days <= 7 then 1 end) as purchase_count_7d,
        count(case when age_days <= 28 then 1 end) as recent_purchase_count,
        count(case when age_days <= 84 then 1 end) as purchase_count_84d,
        min(age_days) as days_since_last_purchase,
        max(age_days) as days_since_first_purchase,
        {{ decayed_count(var('interaction_weekly_decay'), 'age_days') }} as weight,
        {{ decayed_count(var('interaction_slow_weekly_decay'), 'age_days') }} as slow_weight
    from known_purchases
    group by as_of_date, is_newest, customer_id, product_id

)

select * from final
order by as_of_date, customer_id, product_id
