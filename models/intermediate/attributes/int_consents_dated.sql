{{ config(materialized='view') }}

with

consents as (

    select * from {{ ref('int_consents_accepted') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

ranked_changes as (

    select
        *,
        row_number() over (
            partition by customer_id, purpose
            order by changed_at desc
        ) as place
    from consents

),

final as (

    select
        ranked_changes.customer_id,
        ranked_changes.purpose,
        ranked_changes.is_granted,
        data_windows.as_of_date
    from ranked_changes
    cross join data_windows
    where ranked_changes.place = 1

)

select * from final
