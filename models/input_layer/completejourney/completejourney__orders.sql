{{ config(
    enabled=source_is_enabled('completejourney'),
    materialized='table',
) }}

with

transactions as (

    select * from {{ ref('stg_completejourney__transactions') }}

),

-- A basket that names two households, stores or times stays two rows for the quality gate to see.
final as (

    select distinct
        basket_id as order_id,
        household_id as customer_id,
        transacted_at as ordered_at,
        transacted_at as received_at,
        store_id as store_or_channel,
        'completed' as status
    from transactions

)

select * from final
