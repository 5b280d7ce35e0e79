{% macro activity_windows() -%}
    {#- How many days back the features look, besides all of them. -#}
    {{ return([28, 84, 364]) }}
{%- endmacro %}
