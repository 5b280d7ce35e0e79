-- Each injection on its own: in some the amount stays or falls, which the highest amounts never
-- tell. With few injections it is chance. There is nothing to prove where a rule has nothing to
-- compare with, as without prices or coupons, and so finds none, or where the highest amounts are
-- nearly all of the injected ones; nor in a shop too young to know what is usual for a customer.
with

backtests as (

    select * from {{ ref('anomaly_backtests') }}

),

data_windows as (

    select * from {{ ref('int_data_windows_derived') }}

)

select
    backtests.injection,
    backtests.injected,
    backtests.recall_as_type,
    backtests.baseline_recall,
    backtests.precision_as_type,
    backtests.baseline_precision
from backtests
cross join data_windows
where
    data_windows.as_of_date >= {{ add_days('data_windows.first_order_date', 182) }}
    and backtests.injected >= 400
    and backtests.found_as_type > 0
    and backtests.baseline_recall < 0.95
    and (
        backtests.recall_as_type <= backtests.baseline_recall
        or backtests.precision_as_type < coalesce(backtests.baseline_precision, 0)
    )
