{% macro struct_type(fields) -%}
    {#- A type of fields: a name of a type, a mapping of names to types, or a list of one type. -#}
    {%- if fields is string -%}
        {{ return(fields) }}
    {%- elif fields is mapping -%}
        {%- set types = [] -%}
        {%- for name, type in fields.items() -%}
            {%- do types.append('`' ~ name ~ '`: ' ~ struct_type(type)) -%}
        {%- endfor -%}
        {{ return('struct<' ~ types | join(', ') ~ '>') }}
    {%- else -%}
        {{ return('array<' ~ struct_type(fields[0]) ~ '>') }}
    {%- endif -%}
{%- endmacro %}
