{% macro quintile_score(value, direction, partition_by) -%}
    {#- 1 (worst) to 5 (best) by the share of customers who are strictly worse. Equal values get
        equal scores, so with many ties the five groups are of unequal size. -#}
    cast(1 + {{ integer_divide(
        '5 * (rank() over (partition by ' ~ partition_by ~ ' order by ' ~ value ~ ' ' ~ direction ~ ') - 1)',
        'count(*) over (partition by ' ~ partition_by ~ ')'
    ) }} as int)
{%- endmacro %}
