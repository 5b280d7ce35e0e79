{% macro names_host(host, names) -%}
    {#- Whole labels between dots only: t.co is no part of pinterest.com, nor bing of climbing.com. -#}
    (
        {%- for name in names %}
        {{ 'or ' if not loop.first }}position('.{{ name }}.' in '.' || lower({{ host }}) || '.') > 0
        {%- endfor %}
    )
{%- endmacro %}
