{% macro robust_spread(deviation, history) -%}
    {#- Half of a normal distribution lies within .6745 standard deviations of its middle, nine in
        ten within 1.6449. The wider of the two estimates, since half of what is compared is often
        alike, as the quantity of most sales is one, while the rest is not. -#}
    {{ return(adapter.dispatch('robust_spread')(deviation, history)) }}
{%- endmacro %}

{% macro default__robust_spread(deviation, history) -%}
    {%- set quantiles = 'percentile(' ~ deviation ~ ', array(0.5, 0.9)) over ' ~ history -%}
    round(greatest(
        element_at({{ quantiles }}, 1) / 0.6745, element_at({{ quantiles }}, 2) / 1.6449
    ), 6)
{%- endmacro %}

{% macro duckdb__robust_spread(deviation, history) -%}
    {%- set quantiles = 'quantile_cont(' ~ deviation ~ ', [0.5, 0.9]) over ' ~ history -%}
    round(greatest(
        list_extract({{ quantiles }}, 1) / 0.6745, list_extract({{ quantiles }}, 2) / 1.6449
    ), 6)
{%- endmacro %}
