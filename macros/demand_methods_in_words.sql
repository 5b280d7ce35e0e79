{% macro demand_methods_in_words(forecasts, methods) -%}
    {#- What chosen forecasts are the mean of, in words: one row per made_by of up to three methods.

        Args:
            forecasts: The relation with made_by, methods apart by a comma and a space.
            methods: The relation with method, place and phrase.
    -#}
    select
        made_by,
        concat_ws(
            ', ',
            {%- for rank in [1, 2, 3] %}
            max(case when rank = {{ rank }} then phrase end)
            {{- ',' if not loop.last }}
            {%- endfor %}
        ) as methods_in_words
    from (
        select
            made.made_by,
            {{ methods }}.phrase,
            row_number() over (partition by made.made_by order by {{ methods }}.place) as rank
        from (select distinct made_by from {{ forecasts }}) as made
        inner join {{ methods }}
            on position(
                ', ' || {{ methods }}.method || ',' in ', ' || made.made_by || ','
            ) > 0
    ) as ranked
    group by made_by
{%- endmacro %}
