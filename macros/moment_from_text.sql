{% macro moment_from_text(text_column) -%}
    {#- A timestamp as machines write it: ISO 8601, UTC where it names no offset, or seconds,
        milliseconds or microseconds since 1970. Null for anything else, and beyond the years that
        every engine can reckon with. -#}
    {{ return(adapter.dispatch('moment_from_text')(text_column)) }}
{%- endmacro %}

{% macro default__moment_from_text(text_column) -%}
    coalesce(
        try_to_timestamp({{ text_column }}),
        timestamp_micros(try_cast({{ epoch_micros(text_column) }} as bigint))
    )
{%- endmacro %}

{% macro duckdb__moment_from_text(text_column) -%}
    {%- set moment -%}
    coalesce(
        timezone('UTC', try_cast({{ text_column }} as timestamptz)),
        make_timestamp(try_cast({{ epoch_micros(text_column) }} as bigint))
    )
    {%- endset -%}
    case
        when {{ moment }} between timestamp '0001-01-01' and timestamp '9999-12-30'
            then {{ moment }}
    end
{%- endmacro %}
