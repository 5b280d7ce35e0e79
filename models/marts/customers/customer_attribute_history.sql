with

versions as (

    select * from {{ ref('int_customer_attributes_versioned') }}

),

final as (

    select
        customer_id,
        seen_from_date as valid_from_date,
        nullif(valid_to_date, cast('9999-12-31' as date)) as valid_to_date,
        valid_to_date = cast('9999-12-31' as date) as is_current,
        region,
        home_ownership,
        household_size,
        household_composition,
        kids_count
    from versions

)

select * from final
order by customer_id, valid_from_date
