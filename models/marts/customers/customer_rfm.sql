with

rfm_history as (

    select * from {{ ref('rfm_history') }}
    where is_newest

),

final as (

    select
        customer_id,
        as_of_date,
        recency_days,
        frequency,
        monetary,
        recency_score,
        frequency_score,
        monetary_score,
        rfm_score,
        rfm_cell
    from rfm_history

)

select * from final
order by customer_id
