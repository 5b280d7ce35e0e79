with

backtests as (

    select * from {{ ref('py_prediction_backtests') }}
    where as_of_date is not null

),

final as (

    select
        target,
        cast(as_of_date as date) as as_of_date,
        model,
        segment_type,
        segment,
        metric,
        value,
        lower,
        upper,
        difference_to_baseline,
        difference_lower,
        difference_upper,
        customers,
        cast(positives as bigint) as positives,
        is_shipped as is_shipped_then,
        is_baseline,
        status
    from backtests

)

select * from final
order by target, as_of_date, model, segment_type, segment, metric
