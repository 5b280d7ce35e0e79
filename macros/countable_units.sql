{% macro countable_units(quantity, amount_paid) -%}
    {#- What a seller counts as pieces: a measure is one piece, and so is a line of quantity zero
        for which money was paid. -#}
    cast(case
        when {{ quantity }} > {{ var('max_countable_quantity') }} then 1
        when {{ quantity }} < -{{ var('max_countable_quantity') }} then -1
        when {{ quantity }} = 0 and {{ amount_paid }} > 0 then 1
        else {{ quantity }}
    end as decimal(18, 3))
{%- endmacro %}
