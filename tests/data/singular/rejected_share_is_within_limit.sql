-- A rule of severity error that rejects more than max_rejected_share of a table stops the build.
select
    table_name,
    rule_id,
    rows_failed,
    rows_checked,
    {{ divide('rows_failed', 'rows_checked') }} as rejected_share
from {{ ref('data_quality_summary') }}
where
    severity = 'error'
    and action = 'reject'
    and rows_failed > rows_checked * {{ var('max_rejected_share') }}
