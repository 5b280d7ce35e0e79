{% macro event_param(event_params, key) -%}
    {#- The value of a parameter of a GA4 event as text, of whatever type it is. -#}
    {{ return(adapter.dispatch('event_param')(event_params, key)) }}
{%- endmacro %}

{% macro default__event_param(event_params, key) -%}
    try_element_at(transform(
        filter({{ event_params }}, param -> param.key = '{{ key }}'),
        param -> coalesce(
            param.value.string_value,
            param.value.int_value,
            param.value.double_value,
            param.value.float_value
        )
    ), 1)
{%- endmacro %}

{% macro duckdb__event_param(event_params, key) -%}
    list_transform(
        list_filter({{ event_params }}, lambda param: param.key = '{{ key }}'),
        lambda param: coalesce(
            param.value.string_value,
            param.value.int_value,
            param.value.double_value,
            param.value.float_value
        )
    )[1]
{%- endmacro %}
