with

customer_features as (

    select * from {{ ref('customer_features') }}

),

measured as (

    select
        customer_id,
        as_of_date,
        is_newest,
        recency_days,
        orders_364d as frequency,
        amount_paid_364d as monetary
    from customer_features

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
