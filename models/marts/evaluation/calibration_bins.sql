with

predictions as (

    select * from {{ ref('py_backtest_predictions') }}
    where is_judged and predicted is not null and actual is not null

),

targets as (

    select
        target,
        is_probability
    from {{ ref('prediction_targets') }}

),

-- Decimals add up the same in any order.
ranked as (

    select
        target,
        cast(as_of_date as date) as as_of_date,
        model,
        is_shipped as is_shipped_then,
        is_baseline,
        cast(predicted as decimal(18, 6)) as predicted,
        cast(actual as decimal(18, 6)) as actual,
        cast(actual * actual as decimal(38, 6)) as actual_squared,
        ntile(10) over (
            partition by target, as_of_date, model
            order by predicted desc, customer_id asc
        ) as bin
    from predictions

),

binned as (

    select
        target,
        as_of_date,
        model,
        is_shipped_then,
        is_baseline,
        bin,
        count(*) as customers,
        cast(sum(predicted) as double) as predicted,
        cast(sum(actual) as double) as actual,
        cast(sum(actual_squared) as double) as actual_squared
    from ranked
    group by target, as_of_date, model, is_shipped_then, is_baseline, bin

),

measured as (

    select
        *,
        {{ divide('predicted', 'customers') }} as mean_predicted,
        {{ divide('actual', 'customers') }} as mean_actual,
        {{ divide(
            'customers * actual_squared - actual * actual', 'customers * (customers - 1)', 12
        ) }} as actual_variance,
        sum(actual) over (partition by target, as_of_date, model order by bin) as actual_so_far,
        sum(actual) over (partition by target, as_of_date, model) as actual_of_all,
        sum(customers) over (partition by target, as_of_date, model) as customers_of_all
    from binned

),

bounded as (

    select
        measured.*,
        case
            when targets.is_probability
                then {{ wilson_bound('measured.actual', 'measured.customers', '-') }}
            else {{ mean_bound(
                'measured.mean_actual', 'measured.actual_variance', 'measured.customers', '-'
            ) }}
        end as lower,
        case
            when targets.is_probability
                then {{ wilson_bound('measured.actual', 'measured.customers', '+') }}
            else {{ mean_bound(
                'measured.mean_actual', 'measured.actual_variance', 'measured.customers', '+'
            ) }}
        end as upper
    from measured
    left join targets
        on measured.target = targets.target

),

final as (

    select
        target,
        as_of_date,
        model,
        cast(bin as int) as bin,
        customers,
        mean_predicted,
        mean_actual,
        lower,
        upper,
        round(mean_predicted - mean_actual, 6) as gap,
        mean_predicted between lower and upper as is_calibrated,
        {{ divide('actual * customers_of_all', 'actual_of_all * customers') }} as lift,
        {{ divide('actual_so_far', 'actual_of_all') }} as cumulative_capture,
        is_shipped_then,
        is_baseline
    from bounded

)

select * from final
order by target, as_of_date, model, bin
