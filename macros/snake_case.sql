{% macro snake_case(text_column) -%}
    {#- Small letters and digits, joined by one underscore where anything else stood. -#}
    {{ return(adapter.dispatch('snake_case')(text_column)) }}
{%- endmacro %}

{% macro default__snake_case(text_column) -%}
    regexp_replace(regexp_replace(
        lower({{ text_column }}), '[^\\p{L}\\p{N}]+', '_'
    ), '^_|_$', '')
{%- endmacro %}

{% macro duckdb__snake_case(text_column) -%}
    regexp_replace(regexp_replace(
        lower({{ text_column }}), '[^\p{L}\p{N}]+', '_', 'g'
    ), '^_|_$', '', 'g')
{%- endmacro %}
