{% macro last_by(value, order_terms) -%}
    {#- The known value of the row that comes last by the terms, ascending, then by the value itself:
        one pass of an aggregate, where a window would sort every row. -#}
    {{ return(adapter.dispatch('last_by')(value, order_terms)) }}
{%- endmacro %}

{% macro default__last_by(value, order_terms) -%}
    max(case when {{ value }} is not null then named_struct(
        {%- for term in order_terms %}'term_{{ loop.index }}', {{ term }}, {% endfor -%}
        'value', {{ value }}
    ) end).value
{%- endmacro %}

{% macro duckdb__last_by(value, order_terms) -%}
    struct_extract(max(case when {{ value }} is not null then struct_pack(
        {%- for term in order_terms %}term_{{ loop.index }} := {{ term }}, {% endfor -%}
        value := {{ value }}
    ) end), 'value')
{%- endmacro %}
