-- A rule of severity warn that rejects more than max_rejected_share of a table is worth a look.
{{ config(severity='warn') }}

select
    table_name,
    rule_id,
    rows_rejected,
    rows_checked,
    {{ divide('rows_rejected', 'rows_checked') }} as rejected_share
from {{ ref('data_quality_summary') }}
where
    severity = 'warn'
    and action = 'reject'
    and rows_rejected > rows_checked * {{ var('max_rejected_share') }}
