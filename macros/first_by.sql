{% macro first_by(value, order_terms) -%}
    {#- The value of the row that comes first by the terms, ascending, then by the value itself: one
        pass of an aggregate, where a window would sort every row. -#}
    {{ return(adapter.dispatch('first_by')(value, order_terms)) }}
{%- endmacro %}

{% macro default__first_by(value, order_terms) -%}
    min(named_struct(
        {%- for term in order_terms %}'term_{{ loop.index }}', {{ term }}, {% endfor -%}
        'value', {{ value }}
    )).value
{%- endmacro %}

{% macro duckdb__first_by(value, order_terms) -%}
    struct_extract(min(struct_pack(
        {%- for term in order_terms %}term_{{ loop.index }} := {{ term }}, {% endfor -%}
        value := {{ value }}
    )), 'value')
{%- endmacro %}
