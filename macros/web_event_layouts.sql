{% macro web_event_layouts() -%}
    {#- The layouts that may occur: the setting `layout` of web_events, or all of them. -#}
    {%- set settings = var('sources').get('web_events') or {} -%}
    {%- set layout = settings.get('layout', 'auto') -%}
    {{ return(['plain', 'segment', 'ga4'] if layout == 'auto' else [layout]) }}
{%- endmacro %}
