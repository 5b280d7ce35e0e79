{% macro json_fields(json_text, fields) -%}
    {#- Some fields of a JSON object as one struct, all of it read in one pass. What is missing or
        has another shape is null; of a key that is there twice, the first counts. -#}
    {{ return(adapter.dispatch('json_fields')(json_text, fields)) }}
{%- endmacro %}

{% macro default__json_fields(json_text, fields) -%}
    from_json({{ json_text }}, '{{ struct_type(fields) }}')
{%- endmacro %}

{% macro duckdb__json_fields(json_text, fields) -%}
    from_json({{ json_text }}, '{{ tojson(fields) }}')
{%- endmacro %}
