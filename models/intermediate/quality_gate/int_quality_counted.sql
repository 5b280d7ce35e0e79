with

-- What became of the rows of each table, and how many break each rule, side by side.
{% for table_name in gated_tables() -%}
{%- set has_amount = 'amount_paid' in input_columns(table_name) -%}
{{ table_name }}_accepted as (

    select
        count(*) as rows_accepted,
        {{ 'coalesce(sum(amount_paid), 0)' if has_amount else 'null' }} as amount_accepted
    from {{ ref('int_' ~ table_name ~ '_accepted') }}

),

{{ table_name }}_exceptions as (

    select
        {%- for rule in quality_rules(table_name) %}
        count(case when row_status != 'exact_duplicate' and breaks_{{ rule.rule_id }} then 1 end)
            as {{ rule.rule_id }},
        count(case when rejected_by = '{{ rule.rule_id }}' then 1 end)
            as rejected_by_{{ rule.rule_id }},
        {%- endfor %}
        {%- for status, column in {
            'quarantined': 'amount_quarantined',
            'exact_duplicate': 'amount_of_duplicates',
        }.items() %}
        {{
            "coalesce(sum(case when row_status = '" ~ status ~ "' then amount_paid end), 0)"
            if has_amount else 'null'
        }} as {{ column }},
        {%- endfor %}
        count(case when row_status = 'quarantined' then 1 end) as rows_quarantined,
        count(case when row_status = 'exact_duplicate' then 1 end) as exact_duplicates_removed
    from {{ ref('int_' ~ table_name ~ '_checked') }}

),

{% endfor -%}

unioned as (
    {% for rule in quality_rules() %}
    select
        '{{ rule.table_name }}' as table_name,
        '{{ rule.rule_id }}' as rule_id,
        accepted.rows_accepted,
        exceptions.rows_quarantined,
        exceptions.exact_duplicates_removed,
        cast(accepted.amount_accepted as decimal(18, 2)) as amount_accepted,
        cast(exceptions.amount_quarantined as decimal(18, 2)) as amount_quarantined,
        cast(exceptions.amount_of_duplicates as decimal(18, 2)) as amount_of_duplicates,
        exceptions.{{ rule.rule_id }} as rows_failed,
        exceptions.rejected_by_{{ rule.rule_id }} as rows_rejected
    from {{ rule.table_name }}_accepted as accepted
    cross join {{ rule.table_name }}_exceptions as exceptions
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from unioned
