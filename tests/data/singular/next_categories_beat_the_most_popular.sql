-- Over the back-tested cutoffs, the category told must be in more next orders than the one that the
-- whole shop buys most often; with few customers, in no fewer by more than chance.
select
    as_of_date,
    hit_rate,
    baseline_hit_rate
from {{ ref('next_category_backtests') }}
where
    difference_upper < 0
    or (
        customers >= {{ var('prediction_proof_customers') }}
        and difference_lower <= 0
    )
