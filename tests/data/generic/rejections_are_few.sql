{% test rejections_are_few(model, table_name, input_rows) %}

select
    rejected_by,
    count(*) as rows_rejected
from {{ model }}
where
    rejected_by in (
        {%- for rule in quality_rules(table_name)
            if rule.severity == 'error' and rule.action == 'reject' %}
        '{{ rule.rule_id }}',
        {%- endfor %}
        'none'
    )
group by rejected_by
having count(*) > {{ var('max_rejected_share') }} * (select count(*) from {{ input_rows }})

{% endtest %}
