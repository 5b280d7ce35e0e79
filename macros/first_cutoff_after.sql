{% macro first_cutoff_after(day, newest_cutoff) -%}
    {#- The earliest cutoff of the spine that may use what was known on a day: cutoffs lie at equal
        steps before the newest, and know only what lies before them. -#}
    {{ add_days(
        newest_cutoff,
        integer_divide(
            days_between(day, newest_cutoff) ~ ' - 1', var('cutoff_interval_days')
        ) ~ ' * -' ~ var('cutoff_interval_days')
    ) }}
{%- endmacro %}
