{{ config(enabled=source_is_enabled('online_retail')) }}

with

source as (

    select * from {{ source('online_retail', 'invoice_lines') }}

),

-- An id that is no number goes on as it is, so that nobody becomes anonymous by it.
renamed as (

    select
        {{ clean_text('invoiceno') }} as invoice_id,
        upper({{ clean_text('stockcode') }}) as stock_code,
        {{ clean_text('description') }} as description,
        try_cast(quantity as decimal(18, 3)) as quantity,
        {{ shop_time_to_utc('try_cast(invoicedate as timestamp)') }} as invoiced_at,
        try_cast(unitprice as decimal(18, 4)) as unit_price,
        coalesce({{ id_text('try_cast(customerid as double)') }}, {{ clean_text('customerid') }})
            as customer_id,
        {{ clean_text('country') }} as country
    from source

)

select * from renamed
