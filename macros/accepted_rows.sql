{% macro accepted_rows(input_table) -%}
    {#- The rows of an input table that the quality gate lets through: all but the exceptions, and
        those of the exceptions that it accepts. -#}
    {%- set key = gated_tables()[input_table] -%}
    {%- set columns = input_columns(input_table) -%}

with

input_rows as (

    select * from {{ ref('input_layer__' ~ input_table) }}

),

exceptions as (

    select * from {{ ref('int_' ~ input_table ~ '_checked') }}

),

plain_rows as (

    select
        {{ columns | join(',\n        ') }},
        cast(null as string) as quality_flags
    from input_rows
    where
        not exists (
            select 1
            from exceptions
            where
                true
                {%- for column in key %}
                and input_rows.{{ column }} is not distinct from exceptions.{{ column }}
                {%- endfor %}
        )

),

accepted_exceptions as (

    select
        {{ columns | join(',\n        ') }},
        quality_flags
    from exceptions
    where row_status = 'accepted'

),

final as (

    select * from plain_rows
    union all
    select * from accepted_exceptions

)

select * from final
{%- endmacro %}
