{% macro received_too_early(occurred_at) -%}
    {#- Clocks differ a little: a lead below the tolerance is no error. -#}
    received_at < {{ occurred_at }} - interval '{{ var("max_clock_skew_seconds") }}' second
{%- endmacro %}
