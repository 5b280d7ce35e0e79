with

backtests as (

    select * from {{ ref('py_recommendation_backtests') }}

),

cutoffs as (

    select
        as_of_date,
        step
    from {{ ref('int_cutoffs_spined') }}

),

final as (

    select
        cutoffs.as_of_date,
        backtests.generator,
        backtests.scope,
        backtests.segment,
        cast(backtests.k as int) as k,
        backtests.metric,
        backtests.value,
        backtests.lower,
        backtests.upper,
        backtests.ratio_to_popular,
        backtests.ratio_to_popular_lower,
        backtests.ratio_to_popular_upper,
        backtests.ratio_to_buy_again,
        backtests.ratio_to_buy_again_lower,
        backtests.ratio_to_buy_again_upper,
        backtests.customers
    from backtests
    inner join cutoffs
        on backtests.step = cutoffs.step

)

select * from final
order by as_of_date, generator, scope, segment, k, metric
