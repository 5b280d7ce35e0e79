{{ config(enabled=source_is_enabled('online_retail')) }}

with

invoices as (

    select * from {{ ref('stg_online_retail__invoices') }}

),

final as (

    select
        invoice_id as order_id,
        customer_id,
        invoiced_at as ordered_at,
        invoiced_at as received_at,
        'online' as store_or_channel,
        status
    from invoices

)

select * from final
