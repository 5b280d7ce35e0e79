{% macro clean_text(text_column) -%}
    {#- Blank and the word NaN both stand for missing in exported files. -#}
    nullif(nullif(trim({{ text_column }}), ''), 'NaN')
{%- endmacro %}
