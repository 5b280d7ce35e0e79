{% macro check_rows(input_table, known=[]) -%}
    {#-
        The exceptions among the rows of an input table: every row that breaks a rule of the quality
        gate or shares its key with another, with the verdict on it. All other rows are accepted as
        they stand and not written down again.

        Rows that are equal but for received_at are copies: a sender that gets no answer sends
        again. Different rows of one key are versions, of which one is kept: the first received (then
        the smallest by all columns) among those that no other rule rejects.

        known: entities whose keys the rows refer to, as (entity, key column, accepted model).

        Adds copy_number, version_number, a boolean breaks_<rule> for each rule, rejected_by,
        quality_flags and row_status (accepted, quarantined or exact_duplicate).
    -#}
    {%- set rules = quality_rules(input_table) -%}
    {%- set row_rules = rules | rejectattr('rule_id', 'equalto', 'duplicate_key') | list -%}
    {%- set key = gated_tables()[input_table] -%}
    {%- set columns = input_columns(input_table) -%}

with

input_rows as (

    select * from {{ ref('input_layer__' ~ input_table) }}

),

data_windows as (

    select * from {{ ref('int_data_windows_derived') }}

),

{%- for entity, key_column, accepted_model in known %}

known_{{ entity }}s as (

    select distinct {{ key_column }} as known_{{ key_column }}
    from {{ ref(accepted_model) }}

),
{%- endfor %}

-- Few keys repeat. Meeting by hash is enough: the windows below compare the columns themselves.
-- Read apart from input_rows, which would otherwise be held in memory for the two of them.
repeated_keys as (

    select {{ row_hash(key) }} as key_hash
    from {{ ref('input_layer__' ~ input_table) }}
    group by 1
    having count(*) > 1

),

looked_up_rows as (

    select
        input_rows.*,
        {%- for entity, key_column, accepted_model in known %}
        known_{{ entity }}s.known_{{ key_column }} is not null as is_known_{{ entity }},
        {%- endfor %}
        repeated_keys.key_hash is not null as shares_key,
        data_windows.first_order_date,
        data_windows.as_of_date
    from input_rows
    cross join data_windows
    {%- for entity, key_column, accepted_model in known %}
    left join known_{{ entity }}s
        on input_rows.{{ key_column }} = known_{{ entity }}s.known_{{ key_column }}
    {%- endfor %}
    left join repeated_keys
        on {{ row_hash(key) }} = repeated_keys.key_hash

),

tried_rows as (

    select
        {{ columns | join(',\n        ') }},
        {%- for rule in row_rules %}
        coalesce({{ rule.condition }}, false) as breaks_{{ rule.rule_id }},
        {%- endfor %}
        shares_key
    from looked_up_rows

),

exceptions as (

    select
        *,
        false
        {%- for rule in row_rules if rule.action == 'reject' %}
        or breaks_{{ rule.rule_id }}
        {%- endfor %}
        as is_faulty
    from tried_rows
    where
        shares_key
        {%- for rule in row_rules %}
        or breaks_{{ rule.rule_id }}
        {%- endfor %}

),

numbered_rows as (

    select
        *,
        row_number() over (
            partition by {{ columns | reject('equalto', 'received_at') | join(', ') }}
            order by is_faulty{{ ', received_at nulls last' if 'received_at' in columns }}
        ) as copy_number,
        dense_rank() over (
            partition by {{ key | join(', ') }}
            order by
                is_faulty,
                {% if 'received_at' in columns %}received_at nulls last, {% endif -%}
                {{ columns | join(' nulls last, ') }} nulls last
        ) as version_number
    from exceptions

),

versioned_rows as (

    select
        *,
        version_number > 1 as breaks_duplicate_key
    from numbered_rows

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
    from versioned_rows

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
{%- endmacro %}
