with

rules as (

    select * from {{ ref('quality_rules') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

{% for table_name, key in gated_tables().items() -%}
{{ table_name }} as (

    select
        source_system,
        '{{ table_name }}' as table_name,
        concat_ws(
            '|',
            {%- for column in key %}
            cast({{ column }} as string){{ ',' if not loop.last }}
            {%- endfor %}
        ) as row_key,
        rejected_by as rule_id,
        {{ row_as_json(input_columns(table_name) or ['source_system']) }} as raw_row,
        cast({{
            'received_at' if 'received_at' in input_columns(table_name) else 'null'
        }} as timestamp) as received_at
    from {{ ref('int_' ~ table_name ~ '_checked') }}
    where row_status = 'quarantined'

),

{% endfor -%}

quarantined as (
    {% for table_name in gated_tables() %}
    select * from {{ table_name }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- The day comes from the data: when the row says it arrived, or else this build's own end.
final as (

    select
        quarantined.source_system,
        quarantined.table_name,
        quarantined.row_key,
        quarantined.rule_id,
        rules.reason,
        quarantined.raw_row,
        least(
            coalesce(quarantined.received_at, {{ shop_midnight_utc('data_windows.as_of_date') }}),
            {{ shop_midnight_utc('data_windows.as_of_date') }}
        ) as first_seen_at
    from quarantined
    inner join rules
        on
            quarantined.table_name = rules.table_name
            and quarantined.rule_id = rules.rule_id
    cross join data_windows

)

select * from final
