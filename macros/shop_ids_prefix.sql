{% macro shop_ids_prefix(source_name) -%}
    {#- What is put before every id of a source, so that two shops with the same ids stay apart:
        nothing while there is only one shop. -#}
    {%- set shops = [] -%}
    {%- for name in var('sources') -%}
        {%- do shops.append(shop_of_source(name)) -%}
    {%- endfor -%}
    {{ return(shop_of_source(source_name) ~ ':' if shops | unique | list | length > 1 else '') }}
{%- endmacro %}
