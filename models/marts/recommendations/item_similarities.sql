with

similarities as (

    select * from {{ ref('py_item_similarities') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

final as (

    select
        data_windows.as_of_date,
        similarities.algorithm,
        similarities.item_id as product_id,
        similarities.neighbor_item_id as neighbor_product_id,
        cast(similarities.rank as int) as rank,
        similarities.score,
        similarities.support
    from similarities
    cross join data_windows

)

select * from final
order by algorithm, product_id, rank
