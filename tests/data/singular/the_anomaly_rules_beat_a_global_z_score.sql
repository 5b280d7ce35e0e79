-- Each injection on its own: in some the amount stays or falls, which the highest amounts never
-- tell. With few injections it is chance. There is nothing to prove where a rule has nothing to
-- compare with, as without prices or coupons, and so finds none, or where the highest amounts are
-- nearly all of the injected ones.
select
    injection,
    injected,
    recall_as_type,
    baseline_recall,
    precision_as_type,
    baseline_precision
from {{ ref('anomaly_backtests') }}
where
    injected >= 400
    and found_as_type > 0
    and baseline_recall < 0.95
    and (
        recall_as_type <= baseline_recall
        or precision_as_type < coalesce(baseline_precision, 0)
    )
