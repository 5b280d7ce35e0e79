with

{% for table_name in gated_tables() -%}
{{ table_name }} as (

    select
        '{{ table_name }}' as table_name,
        count(*) as rows_in,
        {{
            'cast(coalesce(sum(amount_paid), 0) as decimal(18, 2))'
            if 'amount_paid' in input_columns(table_name)
            else 'cast(null as decimal(18, 2))'
        }} as amount_in
    from {{ ref('input_layer__' ~ table_name) }}

),

{% endfor -%}

rows_in as (
    {% for table_name in gated_tables() %}
    select * from {{ table_name }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

rows_out as (

    select distinct
        table_name,
        rows_accepted,
        rows_quarantined,
        exact_duplicates_removed,
        amount_accepted,
        amount_quarantined,
        amount_of_duplicates
    from {{ ref('int_quality_counted') }}

),

final as (

    select
        rows_in.table_name,
        rows_in.rows_in,
        rows_out.rows_accepted,
        rows_out.rows_quarantined,
        rows_out.exact_duplicates_removed,
        rows_in.amount_in,
        rows_out.amount_accepted,
        rows_out.amount_quarantined,
        rows_out.amount_of_duplicates,
        rows_in.rows_in
        = rows_out.rows_accepted + rows_out.rows_quarantined + rows_out.exact_duplicates_removed
        and coalesce(
            rows_in.amount_in
            = rows_out.amount_accepted
            + rows_out.amount_quarantined
            + rows_out.amount_of_duplicates,
            true
        ) as is_reconciled
    from rows_in
    inner join rows_out
        on rows_in.table_name = rows_out.table_name

)

select * from final
order by table_name
