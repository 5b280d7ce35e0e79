{% macro id_text(number) -%}
    {#- A key that some writer stored as a float (nulls do that) must not become '7.0'. -#}
    cast(try_cast({{ number }} as bigint) as string)
{%- endmacro %}
