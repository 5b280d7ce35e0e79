with

order_lines as (

    select * from {{ ref('int_order_lines_enriched') }}

),

cutoffs as (

    select as_of_date from {{ ref('int_cutoffs_spined') }}
    where is_newest

),

-- One purchase of an item is one order that holds it, however many lines or units.
purchases as (

    select distinct
        cutoffs.as_of_date,
        order_lines.customer_id,
        order_lines.product_id,
        order_lines.order_id,
        {{ days_between('order_lines.order_date', 'cutoffs.as_of_date') }} as age_days
    from order_lines
    inner join cutoffs
        on order_lines.known_date < cutoffs.as_of_date
    where
        order_lines.customer_id is not null
        and order_lines.units > 0
        and not order_lines.is_return

),

-- Weights are summed as whole billionths, so that their order does not matter.
final as (

    select
        as_of_date,
        customer_id,
        product_id,
        count(*) as purchase_count,
        count(case when age_days <= 28 then 1 end) as recent_purchase_count,
        min(age_days) as days_since_last_purchase,
        cast(sum(cast(round(
            power({{ var('interaction_weekly_decay') }}, cast(age_days as double) / 7) * 1000000000
        ) as bigint)) as double) / 1000000000 as weight
    from purchases
    group by as_of_date, customer_id, product_id

)

select * from final
order by as_of_date, customer_id, product_id
