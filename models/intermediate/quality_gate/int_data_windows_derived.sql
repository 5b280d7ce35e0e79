{#- The fewer orders lie beyond a silence, the shorter it may be to tell a wrong clock: more than so
    many days, and less than one order in so many. -#}
{%- set gap_days = var('max_order_gap_days') -%}
{%- set early = [] -%}
{%- set late = [] -%}
{%- for days, one_in in [(gap_days, 1000), (gap_days * 6, 100), (gap_days * 40, 2)] -%}
    {%- do early.append(
        '(days_until_next > ' ~ days ~ ' and orders_until * ' ~ one_in ~ ' < orders_in_all)'
    ) -%}
    {%- do late.append(
        '(days_since_previous > ' ~ days ~ ' and orders_since * ' ~ one_in ~ ' < orders_in_all)'
    ) -%}
{%- endfor -%}

with

orders as (

    select * from {{ ref('input_layer__orders') }}

),

daily_orders as (

    select
        {{ shop_date('ordered_at') }} as order_date,
        count(distinct order_id) as orders
    from orders
    where not ({{ bad_timestamp('ordered_at') }})
    group by 1

),

spaced_days as (

    select
        order_date,
        {{ days_between('lag(order_date) over (order by order_date)', 'order_date') }}
            as days_since_previous,
        {{ days_between('order_date', 'lead(order_date) over (order by order_date)') }}
            as days_until_next,
        sum(orders) over (order by order_date) as orders_until,
        sum(orders) over (order by order_date desc) as orders_since,
        sum(orders) over () as orders_in_all
    from daily_orders

),

-- A few orders beyond a long silence come from a wrong clock, not from the shop.
bounds as (

    select
        max(case when {{ early | join(' or ') }} then order_date end) as last_stray_early_date,
        min(case when {{ late | join(' or ') }} then order_date end) as first_stray_late_date
    from spaced_days

),

observed_windows as (

    select
        min(spaced_days.order_date) as first_order_date,
        max(spaced_days.order_date) as last_order_date
    from spaced_days
    cross join bounds
    where
        spaced_days.order_date
        > coalesce(bounds.last_stray_early_date, cast('0001-01-01' as date))
        and spaced_days.order_date
        < coalesce(bounds.first_stray_late_date, cast('9999-12-31' as date))

),

final as (

    select
        first_order_date,
        {{
            "cast('" ~ var('as_of_date') ~ "' as date)"
            if var('as_of_date')
            else add_days('last_order_date', 1)
        }} as as_of_date
    from observed_windows

)

select * from final
