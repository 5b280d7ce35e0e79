{{ config(enabled=source_is_enabled('completejourney')) }}

with

products as (

    select * from {{ ref('stg_completejourney__products') }}

),

-- Products have no names of their own: the type within the category is what a shelf label says.
final as (

    select
        product_id,
        {{ sentence_case('coalesce(product_type, category, department)') }} as product_name,
        'Manufacturer ' || manufacturer_id as brand,
        brand_type = 'Private' as is_private_label,
        department,
        category,
        product_type as subcategory,
        package_size as size,
        cast(null as decimal(18, 2)) as list_price,
        cast(null as boolean) as is_active,
        true as is_merchandise
    from products

)

select * from final
