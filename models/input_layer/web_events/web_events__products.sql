{{ config(enabled=web_events_fill('products')) }}

{#- A wrong clock must not make a price the newest: nothing is newer than its arrival. -#}
{%- set arrived_until = 'cast(' ~ add_days('arrival_date', 1) ~ ' as timestamp)' -%}
{%- set order_terms = ['least(occurred_at, ' ~ arrived_until ~ ')', 'event_id'] -%}

with

items as (

    select * from {{ ref('web_events__items') }}

),

final as (

    select
        product_id,
        {{ last_by('product_name', order_terms) }} as product_name,
        {{ last_by('brand', order_terms) }} as brand,
        cast(null as boolean) as is_private_label,
        cast(null as string) as department,
        {{ last_by('category', order_terms) }} as category,
        cast(null as string) as subcategory,
        cast(null as string) as size,
        {{ last_by('price', order_terms) }} as list_price,
        cast(null as boolean) as is_active,
        cast(null as boolean) as is_merchandise,
        bool_and(is_simulated) as is_simulated
    from items
    where product_id is not null
    group by product_id

)

select * from final
