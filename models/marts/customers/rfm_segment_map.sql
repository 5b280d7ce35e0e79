with

rules as (

    select * from {{ ref('rfm_segment_rules') }}

),

scores as (
    {% for score in range(1, 6) %}
    select {{ score }} as score
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- Frequency and monetary value count alike; their mean is rounded half up.
cells as (

    select
        recency.score as recency_score,
        frequency.score as frequency_score,
        monetary.score as monetary_score,
        {{ integer_divide('frequency.score + monetary.score + 1', 2) }} as value_score
    from scores as recency
    cross join scores as frequency
    cross join scores as monetary

),

final as (

    select
        concat(
            cast(cells.recency_score as string),
            cast(cells.frequency_score as string),
            cast(cells.monetary_score as string)
        ) as rfm_cell,
        cells.recency_score,
        cells.frequency_score,
        cells.monetary_score,
        cast(cells.value_score as int) as value_score,
        rules.segment
    from cells
    left join rules
        on
            cells.recency_score between rules.recency_score_min and rules.recency_score_max
            and cells.value_score between rules.value_score_min and rules.value_score_max

)

select * from final
order by rfm_cell
