-- No row and no cent is lost between the input layer and the gate's verdicts.
select *
from {{ ref('reconciliation') }}
where not coalesce(is_reconciled, false)
