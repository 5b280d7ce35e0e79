with

means as (

    select * from {{ ref('py_prediction_backtests') }}
    where as_of_date is null

),

shipped_now as (

    select distinct
        target,
        model
    from {{ ref('py_customer_predictions') }}

),

targets as (

    select * from {{ ref('prediction_targets') }}

),

final as (

    select
        means.target,
        means.model,
        means.metric,
        coalesce(means.metric = targets.headline_metric, false) as is_headline,
        means.value,
        means.lower,
        means.upper,
        means.difference_to_baseline,
        means.difference_lower,
        means.difference_upper,
        case
            when means.better is null then null
            when means.status != 'judged' or means.difference_upper is null then 'not judged'
            when means.is_baseline then 'baseline'
            when means.better = 'higher' and means.difference_lower > 0 then 'better'
            when means.better = 'lower' and means.difference_upper < 0 then 'better'
            when means.better = 'higher' and means.difference_upper < 0 then 'worse'
            when means.better = 'lower' and means.difference_lower > 0 then 'worse'
            else 'not told apart'
        end as verdict,
        means.cutoffs,
        means.customers as predictions,
        means.is_shipped as is_shipped_then,
        shipped_now.model is not null as is_shipped_now,
        means.is_baseline,
        means.status
    from means
    left join targets
        on means.target = targets.target
    left join shipped_now
        on
            means.target = shipped_now.target
            and means.model = shipped_now.model

)

select * from final
order by target, model, metric
