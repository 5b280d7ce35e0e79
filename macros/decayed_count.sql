{% macro decayed_count(weekly_decay, age_days) -%}
    {#- Rows of a group, each weighing weekly_decay to the power of its age in weeks. Summed as whole
        billionths, so that their order does not matter. -#}
    cast(sum(cast(round(
        power({{ weekly_decay }}, cast({{ age_days }} as double) / 7) * 1000000000
    ) as bigint)) as double) / 1000000000
{%- endmacro %}
