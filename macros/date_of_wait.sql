{% macro date_of_wait(as_of_date, days) -%}
    {#- The day on which a wait of so many days ends: 1 is the day of the cutoff itself. Null beyond
        90, where no wait is told from a longer one. -#}
    case
        when {{ days }} < 90.5
            then {{ add_days(as_of_date, 'cast(round(' ~ days ~ ') as int) - 1') }}
    end
{%- endmacro %}
