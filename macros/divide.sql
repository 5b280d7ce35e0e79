{% macro divide(dividend, divisor, digits=6) -%}
    {#- Decimals divide differently by engine, and a zero divisor too: doubles and null it is. -#}
    round(cast({{ dividend }} as double) / nullif(cast({{ divisor }} as double), 0), {{ digits }})
{%- endmacro %}
