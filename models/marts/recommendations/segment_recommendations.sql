{#- Each kind of segment with the column of customer_profiles that says who is in which. -#}
{%- set segment_columns = {
    'rfm_segment': 'segment',
    'age_band': 'age_band',
    'income_band': 'income_band',
    'region': 'region',
    'household_size': 'household_size',
    'household_composition': 'household_composition',
} -%}

with

customer_profiles as (

    select * from {{ ref('customer_profiles') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

interactions as (

    select * from {{ ref('int_interactions_weighted') }}
    where is_newest

),

products as (

    select * from {{ ref('products') }}

),

-- Groups stand in for customers of whom nothing is known yet.
admitted_products as (

    select * from {{ ref('admitted_products') }}
    where
        surface = 'cold_start'
        and is_admitted

),

memberships as (

    select
        customer_id,
        'everyone' as segment_type,
        'everyone' as segment
    from customer_profiles
    {%- for segment_type, column in segment_columns.items() %}
    union all
    select
        customer_id,
        '{{ segment_type }}' as segment_type,
        {{ column }} as segment
    from customer_profiles
    where {{ column }} is not null
    {%- endfor %}

),

segments as (

    select
        segment_type,
        segment,
        count(*) as segment_customers
    from memberships
    group by segment_type, segment

),

recent_buyers as (

    select
        interactions.customer_id,
        interactions.product_id
    from interactions
    inner join admitted_products
        on interactions.product_id = admitted_products.product_id
    where interactions.recent_purchase_count > 0

),

buyers_by_segment as (

    select
        memberships.segment_type,
        memberships.segment,
        recent_buyers.product_id,
        count(*) as customers
    from recent_buyers
    inner join memberships
        on recent_buyers.customer_id = memberships.customer_id
    group by memberships.segment_type, memberships.segment, recent_buyers.product_id

),

-- What everyone does is what is expected of a segment before its own customers are looked at.
overall as (

    select
        buyers_by_segment.product_id,
        buyers_by_segment.customers as overall_customers,
        segments.segment_customers as all_customers
    from buyers_by_segment
    inner join segments
        on
            buyers_by_segment.segment_type = segments.segment_type
            and buyers_by_segment.segment = segments.segment
    where buyers_by_segment.segment_type = 'everyone'

),

-- A product that nobody of the segment bought is a candidate too: a quiet segment has a full list.
candidates as (

    select
        segments.segment_type,
        segments.segment,
        segments.segment_customers,
        overall.product_id,
        overall.overall_customers,
        overall.all_customers,
        coalesce(buyers_by_segment.customers, 0) as customers
    from segments
    cross join overall
    left join buyers_by_segment
        on
            segments.segment_type = buyers_by_segment.segment_type
            and segments.segment = buyers_by_segment.segment
            and overall.product_id = buyers_by_segment.product_id

),

scored as (

    select
        candidates.*,
        admitted_products.popularity,
        {{ divide(
            'admitted_products.boost * (candidates.customers * candidates.all_customers + '
            ~ var('segment_popularity_prior') ~ ' * candidates.overall_customers)',
            'candidates.all_customers * (candidates.segment_customers + '
            ~ var('segment_popularity_prior') ~ ')',
            digits=9
        ) }} as score,
        {{ divide(
            'candidates.customers * candidates.all_customers',
            'candidates.overall_customers * candidates.segment_customers'
        ) }} as lift
    from candidates
    inner join admitted_products
        on candidates.product_id = admitted_products.product_id

),

ranked as (

    select
        *,
        segment_type != 'everyone' and customers > 0 as is_reason_in_segment,
        row_number() over (
            partition by segment_type, segment
            order by score desc, popularity desc, product_id asc
        ) as rank
    from scored

),

final as (

    select
        data_windows.as_of_date,
        ranked.segment_type,
        ranked.segment,
        cast(ranked.rank as int) as rank,
        ranked.product_id,
        products.product_name,
        ranked.score,
        ranked.lift,
        ranked.customers,
        ranked.segment_customers,
        case
            when ranked.is_reason_in_segment then 'popular_in_segment'
            else 'popular'
        end as reason_code,
        'Bought by '
        || case
            when ranked.is_reason_in_segment
                then
                    cast(ranked.customers as string)
                    || ' of '
                    || cast(ranked.segment_customers as string)
                    || ' customers with '
                    || replace(ranked.segment_type, '_', ' ')
                    || ' '
                    || ranked.segment
            else
                cast(ranked.overall_customers as string)
                || ' of '
                || cast(ranked.all_customers as string)
                || ' customers'
        end
        || ' in the last 28 days.' as reason
    from ranked
    cross join data_windows
    inner join products
        on ranked.product_id = products.product_id
    where ranked.rank <= {{ var('recommendations_per_surface') }}

)

select * from final
order by segment_type, segment, rank
