{% macro whole_number(text_column) -%}
    {#- The whole part of a number written as text; null where it is none or too large. -#}
    try_cast(floor(try_cast({{ text_column }} as decimal(18, 3))) as int)
{%- endmacro %}
