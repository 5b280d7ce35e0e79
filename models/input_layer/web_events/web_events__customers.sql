{{ config(enabled=web_events_fill('customers')) }}

{#- A wrong clock must not make a trait the newest: nothing is newer than its arrival. -#}
{%- set arrived_until = 'cast(' ~ add_days('arrival_date', 1) ~ ' as timestamp)' -%}
{%- set order_terms = ['least(occurred_at, ' ~ arrived_until ~ ')', 'event_id'] -%}

with

events as (

    select * from {{ ref('stg_web_events__events') }}

),

final as (

    select
        customer_id,
        min(case when not ({{ bad_timestamp('occurred_at') }}) then occurred_at end)
            as first_seen_at,
        cast(null as string) as age_band,
        {{ last_by('gender', order_terms) }} as gender,
        cast(null as string) as income_band,
        {{ last_by('region', order_terms) }} as region,
        cast(null as string) as home_ownership,
        cast(null as string) as marital_status,
        cast(null as string) as household_size,
        cast(null as string) as household_composition,
        cast(null as string) as kids_count,
        {{ last_by('email_hash', order_terms) }} as email_hash,
        bool_and(is_simulated) as is_simulated
    from events
    where customer_id is not null
    group by customer_id

)

select * from final
