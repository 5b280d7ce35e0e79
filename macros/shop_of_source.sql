{% macro shop_of_source(source_name) -%}
    {#- The shop whose ids a source speaks of: its setting `shop`, or else a shop of its own; the
        web events of a single other shop are its own. -#}
    {%- set settings = var('sources')[source_name] or {} -%}
    {%- set others = var('sources').keys() | reject('equalto', 'web_events') | list -%}
    {%- if settings.get('shop') -%}
        {{ return(settings['shop']) }}
    {%- elif source_name == 'web_events' and others | length == 1 -%}
        {{ return(shop_of_source(others[0])) }}
    {%- else -%}
        {{ return(source_name) }}
    {%- endif -%}
{%- endmacro %}
