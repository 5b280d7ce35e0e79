-- The purchases of all households, those of a household and of a basket side by side.
with

transactions as (

    select
        household_id,
        basket_id,
        product_id,
        transaction_timestamp + to_hours(getvariable('utc_offset_hours')) as shop_time
    from raw_transactions
    where
        household_id is not null
        and basket_id is not null
        and product_id in (select product_id from raw_products)
        and transaction_timestamp is not null

)

select
    row_number() over (order by household_id, shop_time, basket_id, product_id) - 1 as line,
    household_id,
    basket_id,
    product_id,
    cast(shop_time as date) as date
from transactions
