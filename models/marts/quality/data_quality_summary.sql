with

rules as (

    select * from {{ ref('quality_rules') }}

),

counts as (

    select
        *,
        rows_accepted + rows_quarantined as rows_checked
    from {{ ref('int_quality_counted') }}

),

final as (

    select
        rules.table_name,
        rules.rule_id,
        rules.severity,
        rules.action,
        rules.reason,
        counts.rows_checked,
        counts.rows_failed,
        counts.rows_rejected,
        coalesce({{ divide('counts.rows_checked - counts.rows_failed', 'counts.rows_checked') }}, 1)
            as share_passed
    from rules
    inner join counts
        on
            rules.table_name = counts.table_name
            and rules.rule_id = counts.rule_id

)

select * from final
order by table_name, rule_id
