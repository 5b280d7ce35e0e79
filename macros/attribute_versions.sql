{% macro attribute_versions(snapshot_name, key, attributes) -%}
    {#- One row for each version, which holds from valid_from_date to the day before valid_to_date.
        The first is taken for true for all the time before it was seen, too: whoever asks about a
        day before seen_from_date is told what was first known. -#}

with

snapshots as (

    select * from {{ ref(snapshot_name) }}

),

-- A version that another replaced on its own day never held.
versions as (

    select
        *,
        row_number() over (partition by {{ key }} order by dbt_valid_from) as version_number
    from snapshots
    where
        dbt_valid_to is null
        or dbt_valid_to > dbt_valid_from

),

final as (

    select
        {{ key }},
        {%- for attribute in attributes %}
        {{ attribute }},
        {%- endfor %}
        case
            when version_number = 1 then cast('0001-01-01' as date)
            else dbt_valid_from
        end as valid_from_date,
        coalesce(dbt_valid_to, cast('9999-12-31' as date)) as valid_to_date,
        dbt_valid_from as seen_from_date
    from versions

)

select * from final
{%- endmacro %}
