{#- Each kind of segment with the column of customer_profiles that says who is in which. -#}
{%- set segment_columns = {'rfm_segment': 'segment'} -%}
{%- for trait in demographic_traits() -%}
{%- do segment_columns.update({trait: trait}) -%}
{%- endfor -%}

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

    select
        products.product_id,
        products.product_name,
        products.category,
        products.orders,
        admissions.popularity,
        admissions.boost
    from {{ ref('admitted_products') }} as admissions
    inner join products
        on admissions.product_id = products.product_id
    where
        admissions.surface = 'cold_start'
        and admissions.is_admitted

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

purchases as (

    select
        interactions.customer_id,
        interactions.product_id,
        interactions.recent_purchase_count,
        interactions.purchase_count_84d
    from interactions
    inner join admitted_products
        on interactions.product_id = admitted_products.product_id

),

-- Where nobody known bought anything of late, it is worth to look further back.
looks_back as (

    select case when max(recent_purchase_count) > 0 then 28 else 84 end as look_back_days
    from purchases

),

recent_buyers as (

    select
        purchases.customer_id,
        purchases.product_id
    from purchases
    cross join looks_back
    where
        case looks_back.look_back_days
            when 28 then purchases.recent_purchase_count
            else purchases.purchase_count_84d
        end > 0

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

scored_by_buyers as (

    select
        candidates.segment_type,
        candidates.segment,
        candidates.segment_customers,
        candidates.product_id,
        candidates.overall_customers,
        candidates.all_customers,
        candidates.customers,
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

-- Where it is unknown who buys, everyone gets what is in most orders.
scored_by_orders as (

    select
        'everyone' as segment_type,
        'everyone' as segment,
        (select count(*) from customer_profiles) as segment_customers,
        product_id,
        cast(0 as bigint) as overall_customers,
        cast(0 as bigint) as all_customers,
        cast(0 as bigint) as customers,
        {{ divide('boost * orders', 'max(orders) over ()', digits=9) }} as score,
        cast(null as double) as lift
    from admitted_products
    where
        orders > 0
        and not exists (select 1 from overall)

),

scored as (

    select * from scored_by_buyers
    union all
    select * from scored_by_orders

),

described as (

    select
        scored.*,
        admitted_products.product_name,
        admitted_products.category,
        admitted_products.orders,
        admitted_products.popularity,
        -- Few buyers would be told apart, and a product less liked here than elsewhere is not
        -- what the segment stands for.
        scored.segment_type != 'everyone'
        and scored.lift > 1
        and scored.customers >= {{ var('segment_reason_min_customers') }} as is_reason_in_segment
    from scored
    inner join admitted_products
        on scored.product_id = admitted_products.product_id

),

placed_by_category as (

    select
        *,
        row_number() over (
            partition by segment_type, segment, category
            order by score desc, popularity desc, product_id asc
        ) as place_in_category
    from described

),

ranked as (

    select
        *,
        row_number() over (
            partition by segment_type, segment
            order by score desc, popularity desc, product_id asc
        ) as rank
    from placed_by_category
    where {{ within_limit('place_in_category', var('recommendation_max_per_category')) }}

),

final as (

    select
        data_windows.as_of_date,
        ranked.segment_type,
        ranked.segment,
        cast(ranked.rank as int) as rank,
        ranked.product_id,
        ranked.product_name,
        ranked.score,
        ranked.lift,
        ranked.customers,
        ranked.segment_customers,
        case
            when ranked.is_reason_in_segment then 'popular_in_segment'
            else 'popular'
        end as reason_code,
        case
            when ranked.overall_customers = 0
                then 'Bought in ' || {{ counted('ranked.orders', 'order') }} || ' so far.'
            else
                'Bought by '
                || case
                    when ranked.is_reason_in_segment
                        then
                            cast(ranked.customers as string)
                            || ' of '
                            || {{ counted('ranked.segment_customers', 'customer') }}
                            || ' '
                            || {{ segment_in_words('ranked.segment_type', 'ranked.segment') }}
                    else
                        cast(ranked.overall_customers as string)
                        || ' of '
                        || {{ counted('ranked.all_customers', 'customer') }}
                end
                || ' in the last '
                || cast(looks_back.look_back_days as string)
                || ' days.'
        end as reason
    from ranked
    cross join data_windows
    cross join looks_back
    where ranked.rank <= {{ var('recommendations_per_surface') }}

)

select * from final
order by segment_type, segment, rank
