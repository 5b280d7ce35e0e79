-- Over all back-tested cutoffs, the model that ships now must be better than the target's baseline,
-- and so must what would have shipped at each cutoff: with the whole interval where there are
-- predictions enough to prove it; with fewer, it must not be worse. Where the baseline itself ships
-- or nothing could be judged, there is nothing to prove.
select
    target,
    model,
    metric,
    value,
    difference_to_baseline,
    difference_lower,
    difference_upper,
    verdict
from {{ ref('prediction_backtest_summaries') }}
where
    (is_shipped_now or model = 'shipped')
    and metric in ('auc', 'log_loss', 'mae')
    and (
        verdict = 'worse'
        or (
            verdict = 'not told apart'
            and predictions >= {{ var('prediction_proof_customers') }}
        )
    )
