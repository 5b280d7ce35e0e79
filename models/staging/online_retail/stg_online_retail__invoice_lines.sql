{{ config(enabled=source_is_enabled('online_retail')) }}

with

source as (

    select * from {{ source('online_retail', 'invoice_lines') }}

),

-- A number that no number can be read from goes on as it is, so that nobody becomes anonymous by it.
renamed as (

    select
        {{ clean_text('InvoiceNo') }} as invoice_id,
        upper({{ clean_text('StockCode') }}) as stock_code,
        {{ clean_text('Description') }} as description,
        try_cast(Quantity as decimal(18, 3)) as quantity,
        {{ shop_time_to_utc('try_cast(InvoiceDate as timestamp)') }} as invoiced_at,
        try_cast(UnitPrice as decimal(18, 4)) as unit_price,
        coalesce({{ id_text('try_cast(CustomerID as double)') }}, {{ clean_text('CustomerID') }})
            as customer_id,
        {{ clean_text('Country') }} as country
    from source

)

select * from renamed
