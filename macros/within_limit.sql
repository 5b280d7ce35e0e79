{% macro within_limit(place, limit) -%}
    {#- Limits of lists: 0 is none. -#}
    {%- if limit > 0 -%} ({{ place }} <= {{ limit }}) {%- else -%} true {%- endif -%}
{%- endmacro %}
