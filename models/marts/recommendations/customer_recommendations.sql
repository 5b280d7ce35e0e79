with

candidates as (

    select * from {{ ref('py_recommendation_candidates') }}

),

interactions as (

    select * from {{ ref('int_interactions_weighted') }}

),

products as (

    select * from {{ ref('products') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

-- What the shop can still sell, under a name that a customer can read.
recommendable_products as (

    select
        products.product_id,
        products.customers as popularity
    from products
    cross join data_windows
    where
        products.is_in_catalog
        and coalesce(products.is_active, true)
        and products.last_sold_date
        >= {{ add_days('data_windows.as_of_date', -var('recommendable_days')) }}

),

admitted as (

    select
        candidates.customer_id,
        candidates.item_id as product_id,
        candidates.generator,
        candidates.score,
        candidates.reason_code,
        candidates.reason_item_id as reason_product_id,
        recommendable_products.popularity
    from candidates
    inner join recommendable_products
        on candidates.item_id = recommendable_products.product_id

),

-- Tiers fill a list one after the other: a popular product only follows personal ones.
buy_again as (

    select
        customer_id,
        'buy_again' as surface,
        1 as tier,
        product_id,
        popularity,
        score,
        reason_code,
        reason_product_id
    from admitted
    where generator = 'buy_again'

),

discover as (

    select
        customer_id,
        'discover' as surface,
        case generator when 'similar_new_items' then 1 else 2 end as tier,
        product_id,
        popularity,
        score,
        reason_code,
        reason_product_id
    from admitted
    where generator in ('similar_new_items', 'popular_new_items')

),

-- Similarity scores are put on the scale of one purchase: the customer's best item has 1.
similarity_scales as (

    select
        customer_id,
        max(score) as top_score
    from candidates
    where generator = 'similar_items'
    group by customer_id

),

for_you_parts as (

    select
        admitted.*,
        case admitted.generator
            when 'buy_again' then admitted.score
            else {{ divide(
                var('for_you_similarity_weight') ~ ' * admitted.score', 'similarity_scales.top_score'
            ) }}
        end as part
    from admitted
    left join similarity_scales
        on admitted.customer_id = similarity_scales.customer_id
    where admitted.generator in ('buy_again', 'similar_items')

),

for_you_scores as (

    select
        customer_id,
        product_id,
        popularity,
        cast(sum(cast(part as decimal(18, 6))) as double) as score,
        {{ first_by('generator', ['-part']) }} as main_generator
    from for_you_parts
    group by customer_id, product_id, popularity

),

-- The reason is the part that adds most to the score.
for_you as (

    select
        for_you_scores.customer_id,
        'for_you' as surface,
        1 as tier,
        for_you_scores.product_id,
        for_you_scores.popularity,
        for_you_scores.score,
        for_you_parts.reason_code,
        for_you_parts.reason_product_id
    from for_you_scores
    inner join for_you_parts
        on
            for_you_scores.customer_id = for_you_parts.customer_id
            and for_you_scores.product_id = for_you_parts.product_id
            and for_you_scores.main_generator = for_you_parts.generator
    union all
    select
        customer_id,
        'for_you' as surface,
        2 as tier,
        product_id,
        popularity,
        score,
        reason_code,
        reason_product_id
    from admitted
    where generator = 'popular'

),

proposals as (

    select * from for_you
    union all
    select * from buy_again
    union all
    select * from discover

),

-- A product comes once in a list, from its best tier.
distinct_proposals as (

    select
        *,
        row_number() over (
            partition by customer_id, surface, product_id
            order by tier asc, score desc
        ) as occurrence
    from proposals

),

ranked as (

    select
        customer_id,
        surface,
        product_id,
        score,
        reason_code,
        reason_product_id,
        row_number() over (
            partition by customer_id, surface
            order by tier asc, score desc, popularity desc, product_id asc
        ) as rank
    from distinct_proposals
    where occurrence = 1

),

final as (

    select
        ranked.customer_id,
        data_windows.as_of_date,
        ranked.surface,
        cast(ranked.rank as int) as rank,
        ranked.product_id,
        ranked.score,
        ranked.reason_code,
        ranked.reason_product_id,
        case ranked.reason_code
            when 'bought_before'
                then
                    'You bought it '
                    || case interactions.purchase_count
                        when 1 then 'once, '
                        when 2 then 'twice, most recently '
                        else
                            cast(interactions.purchase_count as string) || ' times, most recently '
                    end
                    || 'on '
                    || cast({{ add_days(
                        'data_windows.as_of_date', '-interactions.days_since_last_purchase'
                    ) }} as string)
                    || '.'
            when 'similar_to_bought'
                then
                    'Customers who buy "'
                    || reason_products.product_name
                    || '", as you do, buy this too.'
            else
                'Popular now: '
                || cast(cast(ranked.score as bigint) as string)
                || ' customers bought it in the last 28 days.'
        end as reason
    from ranked
    cross join data_windows
    left join interactions
        on
            ranked.customer_id = interactions.customer_id
            and ranked.product_id = interactions.product_id
    left join products as reason_products
        on ranked.reason_product_id = reason_products.product_id
    where ranked.rank <= {{ var('recommendations_per_surface') }}

)

select * from final
order by customer_id, surface, rank
