{% macro check_rows(input_table, known=[], exceptions_only=false) -%}
    {#-
        Every row of an input table with the verdict of the quality gate on it. Different rows of
        one key are versions, of which the first received (then the smallest by all columns) is kept.

        known: entities whose keys the rows refer to, as (entity, key column, accepted model).
        exceptions_only: keep only rows that are not plainly accepted (every row that breaks a rule
            or shares its key), for a table too large to be written down again.

        Adds version_number, a boolean breaks_<rule> for each rule, row_status (accepted,
        quarantined or exact_duplicate), rejected_by and quality_flags.
    -#}
    {%- set rules = quality_rules(input_table) -%}
    {%- set input_model = ref('input_layer__' ~ input_table) -%}
    {%- set key = gated_tables()[input_table] -%}
    {%- set columns = input_columns(input_table) -%}

with

input_rows as (

    select * from {{ input_model }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

{%- for entity, key_column, accepted_model in known %}

known_{{ entity }}s as (

    select distinct {{ key_column }} as known_{{ key_column }}
    from {{ ref(accepted_model) }}

),
{%- endfor %}

-- Only keys that repeat need their rows told apart, and they are few. Meeting by hash is enough:
-- the windows below compare the columns themselves.
repeated_keys as (

    select {{ row_hash(key) }} as key_hash
    from input_rows
    group by 1
    having count(*) > 1

),

single_rows as (

    select
        *,
        cast(1 as bigint) as copy_number,
        cast(1 as bigint) as version_number,
        false as shares_key
    from input_rows
    where {{ row_hash(key) }} not in (select key_hash from repeated_keys)

),

repeated_rows as (

    select
        *,
        row_number() over (
            partition by {{ columns | join(', ') }}
            order by {{ key | join(', ') }}
        ) as copy_number,
        dense_rank() over (
            partition by {{ key | join(', ') }}
            order by {% if 'received_at' in columns %}received_at, {% endif %}{{ columns | join(', ') }}
        ) as version_number,
        true as shares_key
    from input_rows
    where {{ row_hash(key) }} in (select key_hash from repeated_keys)

),

numbered_rows as (

    select * from single_rows
    union all
    select * from repeated_rows

),

looked_up_rows as (

    select
        numbered_rows.*,
        {%- for entity, key_column, accepted_model in known %}
        known_{{ entity }}s.known_{{ key_column }} is not null as is_known_{{ entity }},
        {%- endfor %}
        data_windows.as_of_date
    from numbered_rows
    cross join data_windows
    {%- for entity, key_column, accepted_model in known %}
    left join known_{{ entity }}s
        on numbered_rows.{{ key_column }} = known_{{ entity }}s.known_{{ key_column }}
    {%- endfor %}

),

checked_rows as (

    select
        {{ columns | join(',\n        ') }},
        version_number,
        copy_number,
        shares_key,
        {%- for rule in rules %}
        coalesce({{ rule.condition }}, false) as breaks_{{ rule.rule_id }}{{ ',' if not loop.last }}
        {%- endfor %}
    from looked_up_rows

),

judged_rows as (

    select
        *,
        case
            when copy_number > 1 then null
            {%- for rule in rules if rule.action == 'reject' %}
            when breaks_{{ rule.rule_id }} then '{{ rule.rule_id }}'
            {%- endfor %}
        end as rejected_by,
        nullif(concat_ws(
            ',',
            cast(null as string)
            {%- for rule in rules if rule.action == 'flag' -%}
            , case when breaks_{{ rule.rule_id }} then '{{ rule.rule_id }}' end
            {%- endfor -%}
        ), '') as quality_flags
    from checked_rows

),

final as (

    select
        *,
        case
            when copy_number > 1 then 'exact_duplicate'
            when rejected_by is not null then 'quarantined'
            else 'accepted'
        end as row_status
    from judged_rows

)

select * from final
{%- if exceptions_only %}
where
    row_status != 'accepted'
    or quality_flags is not null
    or shares_key
{%- endif %}
{%- endmacro %}
