{% macro source_of_rows(source_system) -%}
    {#- Aggregate: what rests on any simulated row is simulated; else the first source by name. -#}
    coalesce(
        max(case when {{ source_system }} = 'simulated' then 'simulated' end),
        min({{ source_system }})
    )
{%- endmacro %}
