-- A rule that matches no product has a typing error, or is no longer needed.
{{ config(severity='warn') }}

with

products as (

    select * from {{ ref('products') }}

),

product_attributes as (
    {% for match_column in rule_match_columns() %}
    select distinct
        '{{ match_column }}' as match_column,
        lower({{ match_column }}) as match_value
    from products
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    rules.rule_id,
    rules.match_column,
    rules.match_value
from {{ ref('recommendation_rules') }} as rules
left join product_attributes
    on
        rules.match_column = product_attributes.match_column
        and lower(rules.match_value) = product_attributes.match_value
where product_attributes.match_value is null
