with

backtests as (

    select * from {{ ref('py_anomaly_backtests') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

final as (

    select
        backtests.injection,
        data_windows.as_of_date,
        backtests.anomaly_type,
        backtests.injected,
        backtests.found,
        backtests.found_as_type,
        backtests.recall,
        backtests.recall_as_type,
        backtests.baseline_recall,
        backtests.precision_as_type,
        backtests.baseline_precision,
        backtests.flagged_share
    from backtests
    cross join data_windows

)

select * from final
order by injection
