{% macro visitor_id(anonymous_id, customer_id) -%}
    {#- The device, so that a login does not split a session. -#}
    case
        when {{ anonymous_id }} is not null then 'visitor:' || {{ anonymous_id }}
        else 'customer:' || {{ customer_id }}
    end
{%- endmacro %}
