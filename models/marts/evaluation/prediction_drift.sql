with

drift as (

    select * from {{ ref('py_prediction_drift') }}

),

newest_cutoffs as (

    select
        subject_type,
        subject,
        max(as_of_date) as as_of_date
    from drift
    group by subject_type, subject

),

final as (

    select
        drift.subject_type,
        drift.subject,
        cast(drift.as_of_date as date) as as_of_date,
        newest_cutoffs.as_of_date is not null as is_newest,
        cast(drift.reference_date as date) as reference_date,
        drift.model,
        drift.reference_model,
        drift.psi,
        drift.psi_by_chance,
        drift.ks,
        drift.customers,
        drift.reference_customers,
        drift.verdict
    from drift
    left join newest_cutoffs
        on
            drift.subject_type = newest_cutoffs.subject_type
            and drift.subject = newest_cutoffs.subject
            and drift.as_of_date = newest_cutoffs.as_of_date

)

select * from final
order by subject_type, subject, as_of_date
