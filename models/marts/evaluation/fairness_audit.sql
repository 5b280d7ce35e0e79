with

audit as (

    select * from {{ ref('py_fairness_audit') }}

),

final as (

    select
        target,
        attribute,
        attribute_value,
        measure,
        cast(as_of_date as date) as as_of_date,
        model,
        value,
        lower,
        upper,
        overall,
        known_others,
        difference_to_known_others,
        p_value,
        adjusted_p_value,
        customers,
        known_other_customers,
        verdict
    from audit

)

select * from final
order by target, attribute, attribute_value, measure
