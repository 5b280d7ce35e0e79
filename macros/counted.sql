{% macro counted(number, noun) -%}
    case {{ number }}
        when 1 then '1 {{ noun }}'
        else cast({{ number }} as string) || ' {{ noun }}s'
    end
{%- endmacro %}
