{% macro mean_bound(mean, variance, rows_counted, side) -%}
    {#- mean ± z √(s² / n) with z = 1.96; rounding may leave a variance of 0 a hair below. -#}
    round({{ mean }} {{ side }} 1.96 * sqrt(abs({{ divide(variance, rows_counted, 12) }})), 6)
{%- endmacro %}
