{% macro known_date(occurred_at, received_at) -%}
    {{ shop_date('greatest(' ~ occurred_at ~ ', coalesce(' ~ received_at ~ ', ' ~ occurred_at ~ '))') }}
{%- endmacro %}
