{{ config(enabled=source_is_enabled('completejourney')) }}

with

transactions as (

    select * from {{ ref('stg_completejourney__transactions') }}

),

demographics as (

    select * from {{ ref('stg_completejourney__demographics') }}

),

-- The source has no customer file: a household exists once it has bought or answered the survey.
buyers as (

    select
        household_id,
        min(transacted_at) as first_seen_at
    from transactions
    where household_id is not null
    group by household_id

),

-- A survey row that has no household at all goes on to the quality gate as it is.
final as (

    select
        coalesce(buyers.household_id, demographics.household_id) as customer_id,
        buyers.first_seen_at,
        demographics.age_band,
        cast(null as string) as gender,
        demographics.income_band,
        cast(null as string) as region,
        demographics.home_ownership,
        demographics.marital_status,
        demographics.household_size,
        demographics.household_composition,
        demographics.kids_count,
        cast(null as string) as email_hash
    from buyers
    full outer join demographics
        on buyers.household_id = demographics.household_id

)

select * from final
