-- Every gated table is reconciled, and quarantined_rows holds each row that reconciliation counts.
with

quarantined as (

    select
        table_name,
        count(*) as quarantined_rows
    from {{ ref('quarantined_rows') }}
    group by table_name

),

gated as (
    {% for table_name in gated_tables() %}
    select '{{ table_name }}' as table_name
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    gated.table_name,
    reconciliation.rows_quarantined,
    coalesce(quarantined.quarantined_rows, 0) as quarantined_rows
from gated
left join {{ ref('reconciliation') }} as reconciliation
    on gated.table_name = reconciliation.table_name
left join quarantined
    on gated.table_name = quarantined.table_name
where
    reconciliation.table_name is null
    or reconciliation.rows_quarantined != coalesce(quarantined.quarantined_rows, 0)
