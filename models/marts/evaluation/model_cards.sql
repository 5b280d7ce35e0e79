with

models as (

    select * from {{ ref('py_prediction_models') }}

),

shipped as (

    select distinct
        target,
        model
    from {{ ref('py_customer_predictions') }}

),

versions as (

    select max(model_version) as model_version
    from {{ ref('customer_predictions') }}

),

targets as (

    select * from {{ ref('prediction_targets') }}

),

headlines as (

    select * from {{ ref('prediction_backtest_summaries') }}
    where is_headline

),

baselines as (

    select
        target,
        model,
        value
    from headlines
    where is_baseline and model != 'shipped'

),

final as (

    select
        models.target,
        models.model,
        cast(models.as_of_date as date) as as_of_date,
        shipped.model is not null as is_shipped,
        targets.meaning,
        targets.intended_use,
        targets.limits,
        versions.model_version,
        cast(models.training_rows as bigint) as training_rows,
        cast(models.first_cutoff as date) as first_cutoff_date,
        cast(models.last_cutoff as date) as last_cutoff_date,
        cast(
            length(models.features) - length(replace(models.features, ',', '')) + 1 as int
        ) as feature_count,
        models.features,
        models.parameters,
        targets.headline_metric as metric,
        headlines.value,
        headlines.lower,
        headlines.upper,
        baselines.model as baseline,
        baselines.value as baseline_value,
        headlines.difference_to_baseline,
        headlines.difference_lower,
        headlines.difference_upper,
        coalesce(headlines.verdict, 'not judged') as verdict,
        cast(coalesce(headlines.cutoffs, 0) as bigint) as cutoffs,
        cast(coalesce(headlines.predictions, 0) as bigint) as predictions
    from models
    cross join versions
    left join shipped
        on
            models.target = shipped.target
            and models.model = shipped.model
    left join targets
        on models.target = targets.target
    left join headlines
        on
            models.target = headlines.target
            and models.model = headlines.model
    left join baselines
        on models.target = baselines.target

)

select * from final
order by target, model
