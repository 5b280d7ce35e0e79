{#- How the products of a page, a name or a category follow each other. -#}
{%- set best_first =
    'tier asc, score desc, support desc, popularity desc, neighbor_product_id asc' -%}

with

similarities as (

    select * from {{ ref('item_similarities') }}

),

products as (

    select * from {{ ref('products') }}

),

admitted_products as (

    select * from {{ ref('admitted_products') }}
    where surface = 'discover'

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

pages as (

    select
        products.product_id,
        products.product_name,
        admitted_products.is_admitted as is_offered
    from products
    inner join admitted_products
        on products.product_id = admitted_products.product_id

),

offers as (

    select
        products.product_id,
        products.product_name,
        products.category,
        admitted_products.popularity,
        admitted_products.boost
    from products
    inner join admitted_products
        on products.product_id = admitted_products.product_id
    where admitted_products.is_admitted

),

bought_together as (

    select
        similarities.product_id,
        similarities.neighbor_product_id,
        similarities.score,
        similarities.support,
        row_number() over (
            partition by similarities.product_id
            order by similarities.rank
        ) as place
    from similarities
    inner join offers
        on similarities.neighbor_product_id = offers.product_id
    where
        similarities.algorithm = 'cosine'
        and similarities.support >= {{ var('item_recommendation_min_support') }}

),

alike as (

    select
        similarities.product_id,
        similarities.neighbor_product_id,
        similarities.score,
        similarities.support
    from similarities
    inner join offers
        on similarities.neighbor_product_id = offers.product_id
    where
        similarities.algorithm = 'content'
        and similarities.score >= {{ var('item_recommendation_min_content_score') }}

),

known_by_many as (

    select distinct product_id
    from bought_together

),

-- Most products have few customers of their own: what goes with the most alike product is shown.
stand_ins as (

    select
        alike.product_id,
        alike.neighbor_product_id as through_product_id,
        row_number() over (
            partition by alike.product_id
            order by alike.score desc, offers.popularity desc, alike.neighbor_product_id asc
        ) as place
    from alike
    inner join known_by_many
        on alike.neighbor_product_id = known_by_many.product_id
    inner join offers
        on alike.neighbor_product_id = offers.product_id

),

found as (

    select
        product_id,
        neighbor_product_id,
        'cosine' as algorithm,
        cast(null as string) as through_product_id,
        score,
        support
    from bought_together
    union all
    select
        product_id,
        neighbor_product_id,
        'content' as algorithm,
        cast(null as string) as through_product_id,
        score,
        support
    from alike
    union all
    select
        stand_ins.product_id,
        bought_together.neighbor_product_id,
        'cosine_of_similar' as algorithm,
        stand_ins.through_product_id,
        bought_together.score,
        bought_together.support
    from stand_ins
    inner join bought_together
        on stand_ins.through_product_id = bought_together.product_id
    -- No page needs more of them.
    where
        stand_ins.place = 1
        and bought_together.place <= {{ var('recommendations_per_surface') }}
        and stand_ins.product_id != bought_together.neighbor_product_id

),

-- What the same customers buy goes with a product, what is described alike replaces it: the page of
-- a product that is not offered starts with a substitute.
proposals as (

    select
        found.product_id,
        found.neighbor_product_id,
        found.algorithm,
        found.through_product_id,
        found.support,
        pages.product_name as page_name,
        offers.product_name,
        offers.category,
        offers.popularity,
        case
            when found.algorithm = 'cosine_of_similar' then 3
            when pages.is_offered = (found.algorithm = 'cosine') then 1
            else 2
        end as tier,
        cast(round(found.score * offers.boost, 6) as double) as score
    from found
    inner join pages
        on found.product_id = pages.product_id
    inner join offers
        on found.neighbor_product_id = offers.product_id

),

proposed_once as (

    select
        *,
        row_number() over (
            partition by product_id, neighbor_product_id
            order by tier
        ) as occurrence
    from proposals

),

placed_by_name as (

    select
        *,
        row_number() over (
            partition by product_id, product_name
            order by {{ best_first }}
        ) as place_in_name
    from proposed_once
    where occurrence = 1

),

placed_by_category as (

    select
        *,
        row_number() over (
            partition by product_id, category
            order by {{ best_first }}
        ) as place_in_category
    from placed_by_name
    where {{ within_limit('place_in_name', var('item_recommendation_max_per_name')) }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by product_id
            order by {{ best_first }}
        ) as rank
    from placed_by_category
    where {{ within_limit('place_in_category', var('recommendation_max_per_category')) }}

),

final as (

    select
        ranked.product_id,
        data_windows.as_of_date,
        cast(ranked.rank as int) as rank,
        ranked.neighbor_product_id as recommended_product_id,
        ranked.algorithm,
        ranked.through_product_id,
        ranked.score,
        ranked.support,
        case ranked.algorithm
            when 'cosine' then 'bought_by_the_same'
            when 'content' then 'similar_description'
            else 'bought_with_similar'
        end as reason_code,
        case ranked.algorithm
            when 'content' then 'Much like "' || ranked.page_name || '".'
            else
                {{ counted('ranked.support', 'customer') }}
                || ' bought both this and '
                || case
                    when ranked.algorithm = 'cosine' then '"' || ranked.page_name
                    when through_products.product_name = ranked.page_name
                        then 'another kind of "' || ranked.page_name
                    else 'the similar "' || through_products.product_name
                end
                || '".'
        end as reason
    from ranked
    cross join data_windows
    left join products as through_products
        on ranked.through_product_id = through_products.product_id
    where ranked.rank <= {{ var('recommendations_per_surface') }}

)

select * from final
order by product_id, rank
