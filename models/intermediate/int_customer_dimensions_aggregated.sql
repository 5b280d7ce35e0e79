with

orders as (

    select * from {{ ref('int_orders_enriched') }}

),

order_lines as (

    select * from {{ ref('int_order_lines_enriched') }}

),

products as (

    select * from {{ ref('int_product_attributes_versioned') }}

),

data_windows as (

    select as_of_date as newest_cutoff from {{ ref('int_data_windows_derived') }}

),

dated_orders as (

    select
        orders.*,
        {{ first_cutoff_after('orders.known_date', 'data_windows.newest_cutoff') }} as first_cutoff
    from orders
    cross join data_windows
    where
        orders.customer_id is not null
        and orders.known_date < data_windows.newest_cutoff

),

-- A line on which nothing changed hands shows no preference. What the product was is what the
-- catalog said when the line became known: later changes do not reach the cutoffs before them.
described_lines as (

    select
        dated_orders.customer_id,
        dated_orders.first_cutoff,
        order_lines.order_id,
        order_lines.units,
        order_lines.amount_paid,
        order_lines.amount_paid + order_lines.discount_amount as list_amount,
        products.department,
        products.category,
        products.brand
    from order_lines
    inner join dated_orders
        on order_lines.order_id = dated_orders.order_id
    left join products
        on
            order_lines.product_id = products.product_id
            and order_lines.known_date >= products.valid_from_date
            and order_lines.known_date < products.valid_to_date
    where order_lines.units > 0

),

line_dimensions as (
    {% for dimension in ['department', 'category', 'brand'] %}
    select
        customer_id,
        first_cutoff,
        '{{ dimension }}' as dimension,
        {{ dimension }} as dimension_value,
        count(distinct order_id) as orders,
        sum(units) as units,
        sum(amount_paid) as amount_paid,
        sum(list_amount) as list_amount
    from described_lines
    where {{ dimension }} is not null
    group by customer_id, first_cutoff, {{ dimension }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

order_dimensions as (
    {% for dimension, column in {
        'store': 'store_or_channel',
        'hour': 'order_hour',
        'weekday': 'order_weekday',
    }.items() %}
    select
        customer_id,
        first_cutoff,
        '{{ dimension }}' as dimension,
        cast({{ column }} as string) as dimension_value,
        count(*) as orders
    from dated_orders
    where
        {{ column }} is not null
        and is_purchase
    group by customer_id, first_cutoff, {{ column }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (

    select
        customer_id,
        dimension,
        dimension_value,
        first_cutoff,
        orders,
        units,
        amount_paid,
        list_amount
    from line_dimensions
    union all
    select
        customer_id,
        dimension,
        dimension_value,
        first_cutoff,
        orders,
        cast(null as decimal(18, 3)) as units,
        cast(null as decimal(18, 2)) as amount_paid,
        cast(null as decimal(18, 2)) as list_amount
    from order_dimensions

)

select * from final
