{% macro dated_attributes(accepted_model, key, attributes) -%}
    {#- The attributes as they are now, with the day that a snapshot is to name. -#}
    {{ config(materialized='view') }}

with

entities as (

    select * from {{ ref(accepted_model) }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

final as (

    select
        entities.{{ key }},
        {%- for attribute in attributes %}
        entities.{{ attribute }},
        {%- endfor %}
        data_windows.as_of_date
    from entities
    cross join data_windows

)

select * from final
{%- endmacro %}
