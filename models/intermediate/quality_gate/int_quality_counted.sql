with

-- One scan a table: what became of its rows, and how many break each rule, side by side.
{% for table_name in gated_tables() -%}
{{ table_name }} as (

    select
        {% if table_name == 'promotions' -%}
            (select count(*) from {{ ref('int_promotions_accepted') }})
        {%- else -%}
            count(case when row_status = 'accepted' then 1 end)
        {%- endif %} as rows_accepted,
        count(case when row_status = 'quarantined' then 1 end) as rows_quarantined,
        count(case when row_status = 'exact_duplicate' then 1 end) as exact_duplicates_removed,
        {%- for status, column in {
            'accepted': 'amount_accepted',
            'quarantined': 'amount_quarantined',
            'exact_duplicate': 'amount_of_duplicates',
        }.items() %}
        {% if 'amount_paid' in input_columns(table_name) -%}
            sum(case when row_status = '{{ status }}' then amount_paid else 0 end)
        {%- else -%}
            cast(null as decimal(18, 2))
        {%- endif %} as {{ column }},
        {%- endfor %}
        {%- for rule in quality_rules(table_name) %}
        count(case when row_status != 'exact_duplicate' and breaks_{{ rule.rule_id }} then 1 end)
            as {{ rule.rule_id }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_' ~ table_name ~ '_checked') }}

),

{% endfor -%}

unioned as (
    {% for rule in quality_rules() %}
    select
        '{{ rule.table_name }}' as table_name,
        '{{ rule.rule_id }}' as rule_id,
        rows_accepted,
        rows_quarantined,
        exact_duplicates_removed,
        cast(amount_accepted as decimal(18, 2)) as amount_accepted,
        cast(amount_quarantined as decimal(18, 2)) as amount_quarantined,
        cast(amount_of_duplicates as decimal(18, 2)) as amount_of_duplicates,
        {{ rule.rule_id }} as rows_failed
    from {{ rule.table_name }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from unioned
