with

candidates as (

    select * from {{ ref('py_recommendation_candidates') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

final as (

    select
        data_windows.as_of_date,
        candidates.generator,
        candidates.scope,
        candidates.customer_id,
        cast(candidates.rank as int) as rank,
        candidates.item_id as product_id,
        candidates.score,
        candidates.reason_code,
        candidates.reason_item_id as reason_product_id
    from candidates
    cross join data_windows

)

select * from final
order by generator, scope, customer_id, rank
