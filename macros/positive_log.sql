{% macro positive_log(value) -%}
    {#- Engines disagree on the logarithm of zero. -#}
    ln(nullif(greatest(cast({{ value }} as double), 0), 0))
{%- endmacro %}
