with

products as (

    select * from {{ ref('products') }}

),

offers as (

    select * from {{ ref('product_offers') }}

),

rules as (

    select * from {{ ref('recommendation_rules') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

surfaces as (
    {% for surface in recommendation_surfaces() %}
    select '{{ surface }}' as surface
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

product_attributes as (
    {% for match_column in rule_match_columns() %}
    select
        product_id,
        '{{ match_column }}' as match_column,
        lower({{ match_column }}) as match_value
    from products
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

matches as (

    select
        product_attributes.product_id,
        surfaces.surface,
        rules.rule_id,
        rules.action,
        rules.factor
    from product_attributes
    inner join rules
        on
            product_attributes.match_column = rules.match_column
            and product_attributes.match_value = lower(rules.match_value)
    inner join surfaces
        on rules.surface in ('all', surfaces.surface)

),

-- Factors multiply as their logarithms add up: in decimals, so that the order does not matter.
decisions as (

    select
        product_id,
        surface,
        min(case when action = 'exclude' then rule_id end) as first_exclusion,
        sum(case when action = 'boost' then cast(ln(factor) as decimal(18, 12)) end) as log_boost
    from matches
    group by product_id, surface

),

-- What the shop says it sells and has not sold yet is new; without its word it may be long gone.
described as (

    select
        products.product_id,
        products.customers as popularity,
        products.is_in_catalog,
        products.is_merchandise,
        coalesce(products.is_active, true) as is_active,
        products.is_in_catalog
        and products.is_merchandise
        and coalesce(products.is_active, false)
        and products.last_sold_date is null as is_new_item,
        coalesce(
            products.last_sold_date
            >= {{ add_days('data_windows.as_of_date', -var('recommendable_days')) }},
            false
        ) as is_sold_recently,
        coalesce(offers.is_in_stock, true) as is_in_stock,
        coalesce(
            offers.margin_rate < {{ var('recommendation_min_margin_rate') }}, false
        ) as is_margin_too_low
    from products
    cross join data_windows
    left join offers
        on products.product_id = offers.product_id

),

judged as (

    select
        described.product_id,
        surfaces.surface,
        described.popularity,
        coalesce(round(exp(cast(decisions.log_boost as double)), 6), 1) as boost,
        described.is_new_item,
        case
            when not described.is_in_catalog then 'not_in_catalog'
            when not described.is_merchandise then 'no_merchandise'
            when not described.is_active then 'inactive'
            when not (described.is_sold_recently or described.is_new_item) then 'not_sold_recently'
            when not described.is_in_stock then 'out_of_stock'
            when described.is_margin_too_low then 'margin_too_low'
            else 'rule:' || decisions.first_exclusion
        end as exclusion_reason
    from described
    cross join surfaces
    left join decisions
        on
            described.product_id = decisions.product_id
            and surfaces.surface = decisions.surface

),

final as (

    select
        data_windows.as_of_date,
        judged.product_id,
        judged.surface,
        judged.exclusion_reason is null as is_admitted,
        judged.exclusion_reason,
        judged.is_new_item,
        judged.popularity,
        judged.boost
    from judged
    cross join data_windows

)

select * from final
order by product_id, surface
