-- Tables that map one to one bring every raw row to the input layer, and no other.
{{ config(enabled=source_is_enabled('completejourney')) }}

{%- set mappings = {
    'transactions': ('input_layer__order_lines', 'true'),
    'products': ('input_layer__products', 'true'),
    'campaigns': ('input_layer__campaign_contacts', 'true'),
    'campaign_descriptions': ('input_layer__campaigns', 'true'),
    'promotions': ('input_layer__promotions', 'true'),
    'coupon_redemptions': ('input_layer__events', "event_type = 'coupon_redeem'"),
} %}

with

row_counts as (
    {% for raw_table, (input_model, condition) in mappings.items() %}
    select
        '{{ raw_table }}' as raw_table,
        '{{ input_model }}' as input_model,
        (select count(*) from {{ source('completejourney', raw_table) }}) as raw_rows,
        (
            select count(*)
            from {{ ref(input_model) }}
            where source_system = 'completejourney' and {{ condition }}
        ) as input_rows
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select *
from row_counts
where raw_rows != input_rows
