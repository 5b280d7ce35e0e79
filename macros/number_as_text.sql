{% macro number_as_text(number) -%}
    case
        when {{ number }} = round({{ number }}, 0)
            then cast(cast({{ number }} as decimal(18, 0)) as string)
        else cast(cast({{ number }} as decimal(18, 2)) as string)
    end
{%- endmacro %}
