-- At the newest cutoff no feature lies apart from where it lay at the cutoff before, and no score
-- from where the same model put it.
{{ config(severity='warn') }}

select
    subject_type,
    subject,
    as_of_date,
    reference_date,
    model,
    psi,
    ks
from {{ ref('prediction_drift') }}
where is_newest and verdict = 'drifted'
