{% macro id_text(number) -%}
    {#- A key that some writer stored as a float (nulls do that) must not become '7.0', and a
        fraction is no key. -#}
    case
        when try_cast({{ number }} as bigint) = {{ number }}
            then cast(try_cast({{ number }} as bigint) as string)
    end
{%- endmacro %}
