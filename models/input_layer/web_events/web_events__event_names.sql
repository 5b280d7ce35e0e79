{{ config(enabled=source_is_enabled('web_events')) }}

with

event_names as (
    {% for name, event_type in web_event_types().items() %}
    select
        '{{ name | replace("'", "''") }}' as event_name,
        {{ "'" ~ event_type ~ "'" if event_type else 'cast(null as string)' }} as event_type
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from event_names
