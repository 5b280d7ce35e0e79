with

catalog as (

    select * from {{ ref('int_products_accepted') }}

),

order_lines as (

    select * from {{ ref('order_lines') }}

),

sales as (

    select
        product_id,
        count(distinct customer_id) as customers,
        count(distinct order_id) as orders,
        sum(units) as units,
        sum(amount_paid) as amount_paid,
        min(order_date) as first_sold_date,
        max(order_date) as last_sold_date
    from order_lines
    where units > 0 or not is_merchandise
    group by product_id

),

sold_products as (

    select distinct product_id
    from order_lines

),

-- A product that was sold exists, whether or not the catalog knows it.
final as (

    select
        coalesce(catalog.product_id, sold_products.product_id) as product_id,
        coalesce(
            catalog.product_name,
            'Product ' || coalesce(catalog.product_id, sold_products.product_id)
        ) as product_name,
        catalog.brand,
        catalog.is_private_label,
        catalog.department,
        catalog.category,
        catalog.subcategory,
        catalog.size,
        catalog.list_price,
        catalog.is_active,
        coalesce(catalog.is_merchandise, true) as is_merchandise,
        catalog.product_id is not null as is_in_catalog,
        coalesce(sales.customers, 0) as customers,
        coalesce(sales.orders, 0) as orders,
        cast(coalesce(sales.units, 0) as decimal(18, 3)) as units,
        cast(coalesce(sales.amount_paid, 0) as decimal(18, 2)) as amount_paid,
        {{ divide('sales.amount_paid', 'sales.units', digits=2) }} as average_unit_price,
        sales.first_sold_date,
        sales.last_sold_date
    from catalog
    full outer join sold_products
        on catalog.product_id = sold_products.product_id
    left join sales
        on coalesce(catalog.product_id, sold_products.product_id) = sales.product_id

)

select * from final
order by product_id
