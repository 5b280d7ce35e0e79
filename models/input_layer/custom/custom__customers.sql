{{ config(enabled=source_is_enabled('custom')) }}

{% if custom_table('customers') -%}

{{ custom_rows('customers') }}

{%- else -%}

with

orders as (

    select * from {{ ref('custom__orders') }}

),

-- Without a file of customers, somebody is one who has ordered.
final as (

    select
        customer_id,
        min(ordered_at) as first_seen_at,
        cast(null as string) as age_band,
        cast(null as string) as gender,
        cast(null as string) as income_band,
        cast(null as string) as region,
        cast(null as string) as home_ownership,
        cast(null as string) as marital_status,
        cast(null as string) as household_size,
        cast(null as string) as household_composition,
        cast(null as string) as kids_count,
        cast(null as string) as email_hash,
        bool_or(is_simulated) as is_simulated,
        cast(null as string) as unreadable_text
    from orders
    where customer_id is not null
    group by customer_id

)

select * from final

{%- endif %}
