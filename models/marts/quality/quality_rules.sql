with

rules as (
    {% for rule in quality_rules() %}
    select
        '{{ rule.table_name }}' as table_name,
        '{{ rule.rule_id }}' as rule_id,
        {{ loop.index }} as rule_order,
        '{{ rule.condition | replace("'", "''") }}' as condition,
        '{{ rule.severity }}' as severity,
        '{{ rule.action }}' as action,
        '{{ rule.reason | replace("'", "''") }}' as reason
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from rules
