with

totals as (

    select * from {{ ref('int_customer_activity_totaled') }}

),

measured as (

    select
        customer_id,
        as_of_date,
        is_newest,
        {{ days_between('last_order_date', 'as_of_date') }} as recency_days,
        cast(orders_364d as bigint) as frequency,
        cast(amount_paid_364d as decimal(18, 2)) as monetary
    from totals

),

scored as (

    select
        *,
        {{ quintile_score('recency_days', 'desc', 'as_of_date') }} as recency_score,
        {{ quintile_score('frequency', 'asc', 'as_of_date') }} as frequency_score,
        {{ quintile_score('monetary', 'asc', 'as_of_date') }} as monetary_score
    from measured

),

final as (

    select
        customer_id,
        as_of_date,
        is_newest,
        recency_days,
        frequency,
        monetary,
        recency_score,
        frequency_score,
        monetary_score,
        recency_score + frequency_score + monetary_score as rfm_score,
        concat(
            cast(recency_score as string),
            cast(frequency_score as string),
            cast(monetary_score as string)
        ) as rfm_cell
    from scored

)

select * from final
order by as_of_date, customer_id
