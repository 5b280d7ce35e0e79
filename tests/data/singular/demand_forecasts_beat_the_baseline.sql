-- Over the 50 largest categories, what ships must not have larger scaled errors than the mean of
-- the last 4 weeks. With fewer categories, judged origins or origins to choose by, chance decides.
select
    scope,
    method,
    mase,
    mase_ratio_to_baseline
from {{ ref('demand_backtests') }}
where
    is_shipped
    and scope = 'top_50'
    and series >= 50
    and origins >= 6
    and earlier_origins >= 12
    and mase_ratio_to_baseline > 1
