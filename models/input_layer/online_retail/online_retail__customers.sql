{{ config(enabled=source_is_enabled('online_retail')) }}

with

invoices as (

    select * from {{ ref('stg_online_retail__invoices') }}

),

-- Where the newest invoice went is where the customer is now.
numbered as (

    select
        customer_id,
        invoiced_at,
        country,
        row_number() over (
            partition by customer_id
            order by invoiced_at desc nulls last, invoice_id desc
        ) as newest_first
    from invoices
    where customer_id is not null

),

final as (

    select
        customer_id,
        min(invoiced_at) as first_seen_at,
        cast(null as string) as age_band,
        cast(null as string) as gender,
        cast(null as string) as income_band,
        max(case when newest_first = 1 then country end) as region,
        cast(null as string) as home_ownership,
        cast(null as string) as marital_status,
        cast(null as string) as household_size,
        cast(null as string) as household_composition,
        cast(null as string) as kids_count,
        cast(null as string) as email_hash
    from numbered
    group by customer_id

)

select * from final
