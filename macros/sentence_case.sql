{% macro sentence_case(text_column) -%}
    upper(substr({{ text_column }}, 1, 1)) || lower(substr({{ text_column }}, 2))
{%- endmacro %}
