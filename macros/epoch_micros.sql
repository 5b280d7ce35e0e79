{% macro epoch_micros(text_column) -%}
    {#- A number is of seconds, milliseconds or microseconds: by its size no date of this age can be
        meant in two of them. -#}
    {%- set number = 'try_cast(' ~ text_column ~ ' as double)' -%}
    case
        when abs({{ number }}) < 100000000000 then {{ number }} * 1000000
        when abs({{ number }}) < 100000000000000 then {{ number }} * 1000
        when abs({{ number }}) < 100000000000000000 then {{ number }}
    end
{%- endmacro %}
