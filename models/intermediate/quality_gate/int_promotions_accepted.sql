{#- The gate writes down only the exceptions among twenty million rows; all others pass as scanned. -#}
{%- set key = gated_tables()['promotions'] -%}
{{ config(materialized='view') }}

with

promotions as (

    select * from {{ ref('input_layer__promotions') }}

),

exceptions as (

    select * from {{ ref('int_promotions_checked') }}

),

plain_rows as (

    select
        {{ input_columns('promotions') | join(',\n        ') }},
        cast(null as string) as quality_flags
    from promotions
    where not exists (
        select 1
        from exceptions
        where
            {% for column in key -%}
            {{ 'and ' if not loop.first }}promotions.{{ column }} is not distinct from exceptions.{{ column }}
            {% endfor %}
    )

),

accepted_exceptions as (

    select
        {{ input_columns('promotions') | join(',\n        ') }},
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
