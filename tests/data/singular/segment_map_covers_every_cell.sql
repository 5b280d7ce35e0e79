-- All 125 cells have exactly one known segment, all eleven segments are used, no two rules overlap.
with

known_segments as (
    {% for segment in [
        'champions', 'loyal', 'potential_loyalists', 'new', 'promising', 'need_attention',
        'about_to_sleep', 'at_risk', 'cannot_lose', 'hibernating', 'lost',
    ] %}
    select '{{ segment }}' as segment
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

segment_map as (

    select * from {{ ref('rfm_segment_map') }}

),

rules as (

    select * from {{ ref('rfm_segment_rules') }}

),

cell_count as (

    select count(distinct rfm_cell) as cells
    from segment_map

),

problems as (

    select
        'not 125 cells' as problem,
        cast(cells as string) as subject
    from cell_count
    where cells != 125

    union all

    select
        'cell without exactly one segment' as problem,
        rfm_cell as subject
    from segment_map
    group by rfm_cell
    having count(*) != 1 or count(segment) != 1

    union all

    select
        'unknown segment' as problem,
        segment_map.segment as subject
    from segment_map
    left join known_segments
        on segment_map.segment = known_segments.segment
    where known_segments.segment is null

    union all

    select
        'segment without a cell' as problem,
        known_segments.segment as subject
    from known_segments
    left join segment_map
        on known_segments.segment = segment_map.segment
    where segment_map.segment is null

    union all

    select
        'rules overlap' as problem,
        concat(one.segment, ' and ', other.segment) as subject
    from rules as one
    inner join rules as other
        on
            one.recency_score_min <= other.recency_score_max
            and one.recency_score_max >= other.recency_score_min
            and one.value_score_min <= other.value_score_max
            and one.value_score_max >= other.value_score_min
            and (one.recency_score_min, one.value_score_min)
            < (other.recency_score_min, other.value_score_min)

)

select * from problems
