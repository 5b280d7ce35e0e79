{{ config(enabled=source_is_enabled('online_retail')) }}

with

stock_codes as (

    select * from {{ ref('stg_online_retail__stock_codes') }}

),

final as (

    select
        stock_code as product_id,
        {{ sentence_case('description') }} as product_name,
        cast(null as string) as brand,
        cast(null as boolean) as is_private_label,
        cast(null as string) as department,
        cast(null as string) as category,
        cast(null as string) as subcategory,
        cast(null as string) as size,
        cast(null as decimal(18, 2)) as list_price,
        cast(null as boolean) as is_active,
        is_merchandise
    from stock_codes

)

select * from final
