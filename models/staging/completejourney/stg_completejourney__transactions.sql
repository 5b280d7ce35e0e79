{{ config(enabled=source_is_enabled('completejourney')) }}

with

source as (

    select * from {{ source('completejourney', 'transactions') }}

),

renamed as (

    select
        {{ id_text('basket_id') }} as basket_id,
        {{ id_text('product_id') }} as product_id,
        {{ id_text('household_id') }} as household_id,
        {{ id_text('store_id') }} as store_id,
        try_cast(week as int) as week_number,
        try_cast(transaction_timestamp as timestamp) as transacted_at,
        try_cast(quantity as decimal(18, 3)) as quantity,
        try_cast(sales_value as decimal(18, 2)) as sales_amount,
        try_cast(retail_disc as decimal(18, 2)) as loyalty_discount,
        try_cast(coupon_disc as decimal(18, 2)) as coupon_discount,
        try_cast(coupon_match_disc as decimal(18, 2)) as coupon_match_discount
    from source

)

select * from renamed
