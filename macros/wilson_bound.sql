{% macro wilson_bound(successes, trials, side) -%}
    {#- (s + z²/2 ± z √(s (n - s) / n + z²/4)) / (n + z²) with z = 1.96. -#}
    {{ divide(
        successes ~ ' + 1.9208 ' ~ side ~ ' 1.96 * sqrt('
        ~ divide(successes ~ ' * (' ~ trials ~ ' - ' ~ successes ~ ')', trials, 12) ~ ' + 0.9604)',
        trials ~ ' + 3.8416'
    ) }}
{%- endmacro %}
