{% macro is_visit_event() -%}
    {#- Needs the columns of events: of a type that makes sessions, by somebody who can be told. -#}
    event_type in (
        {%- for event_type in var('session_event_types') %}
        '{{ event_type }}'{{ ',' if not loop.last }}
        {%- endfor %}
    )
    and (anonymous_id is not null or customer_id is not null)
{%- endmacro %}
