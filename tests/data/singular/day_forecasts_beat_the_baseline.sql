-- Over all departments, what ships by day must not have larger scaled errors than the mean of the
-- same weekday in the last 4 weeks. With few departments or origins judged, chance decides.
select
    method,
    mase,
    mase_ratio_to_baseline
from {{ ref('department_day_backtests') }}
where
    is_shipped
    and departments >= 10
    and origins >= 6
    and mase_ratio_to_baseline > 1
