{{ config(enabled=source_is_enabled('custom')) }}

{% if custom_table('products') -%}

{{ custom_rows('products') }}

{%- else -%}

with

order_lines as (

    select * from {{ ref('custom__order_lines') }}

),

-- Without a catalog, a product is what has been ordered, under its id.
final as (

    select
        product_id,
        product_id as product_name,
        cast(null as string) as brand,
        cast(null as boolean) as is_private_label,
        cast(null as string) as department,
        cast(null as string) as category,
        cast(null as string) as subcategory,
        cast(null as string) as size,
        cast(null as decimal(18, 2)) as list_price,
        cast(null as boolean) as is_active,
        cast(null as boolean) as is_merchandise,
        bool_or(is_simulated) as is_simulated,
        cast(null as string) as unreadable_text
    from order_lines
    where product_id is not null
    group by product_id

)

select * from final

{%- endif %}
