{% macro snapshot_dated_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) -%}
    {#-
        How a snapshot tells a new version: any column but the key and the day is another. It differs
        from dbt's check strategy in two things. The id of a version rests on its values too, or the
        second of two versions of one day would be taken for the first and be lost. And a run of an
        earlier day changes no version of a later one.
    -#}
    {%- set keys = [config.get('unique_key')] if config.get('unique_key') is string
        else config.get('unique_key') -%}
    {%- set updated_at = config.get('updated_at') -%}
    {%- set columns = [] -%}
    {%- for column in get_columns_in_query(node.compiled_code) if column not in keys + [updated_at] -%}
        {%- do columns.append(column) -%}
    {%- endfor -%}

    {%- set changes = [] -%}
    {%- if target_exists -%}
        {%- set has_new_column, known_columns = snapshot_check_all_get_existing_columns(
            node, target_exists, columns
        ) -%}
        {%- for column in known_columns -%}
            {%- do changes.append(
                snapshotted_rel ~ '.' ~ column ~ ' is distinct from ' ~ current_rel ~ '.' ~ column
            ) -%}
        {%- endfor -%}
        {%- do changes.append('true') if has_new_column -%}
    {%- endif -%}

    {{ return({
        'unique_key': config.get('unique_key'),
        'updated_at': updated_at,
        'row_changed': snapshotted_rel ~ '.dbt_valid_from <= ' ~ current_rel ~ '.' ~ updated_at
            ~ ' and (' ~ (changes | join(' or ') or 'true') ~ ')',
        'scd_id': snapshot_hash_arguments(keys + [updated_at] + columns),
        'hard_deletes': adapter.get_hard_deletes_behavior(config),
    }) }}
{%- endmacro %}
