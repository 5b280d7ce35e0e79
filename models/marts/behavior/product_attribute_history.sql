with

versions as (

    select * from {{ ref('int_product_attributes_versioned') }}

),

final as (

    select
        product_id,
        seen_from_date as valid_from_date,
        nullif(valid_to_date, cast('9999-12-31' as date)) as valid_to_date,
        valid_to_date = cast('9999-12-31' as date) as is_current,
        list_price,
        department,
        category,
        brand,
        is_private_label,
        is_active
    from versions

)

select * from final
order by product_id, valid_from_date
