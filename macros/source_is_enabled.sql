{% macro source_is_enabled(source_name) -%}
    {#- Whether the var `sources` names the source. What it says about the source is checked in
        full before the warehouse is opened; here only that it can be read at all. -#}
    {%- set sources = var('sources') -%}
    {%- if sources is not mapping -%}
        {%- do exceptions.raise_compiler_error(
            "The var sources is not a mapping of sources to their settings, such as "
            ~ "{completejourney: {}}, but: " ~ sources
        ) -%}
    {%- endif -%}
    {{ return(source_name in sources) }}
{%- endmacro %}
