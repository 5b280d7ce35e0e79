{% macro by_layout(value_by_layout) -%}
    {#- The value in the layout of the row; null in a layout that has none. -#}
    {%- set layouts = web_event_layouts() | select('in', value_by_layout) | list -%}
    case
        {%- for layout in layouts %}
        when layout = '{{ layout }}' then {{ value_by_layout[layout] }}
        {%- else %}
        when false then cast(null as string)
        {%- endfor %}
    end
{%- endmacro %}
