with

similarities as (

    select * from {{ ref('item_similarities') }}

),

products as (

    select * from {{ ref('products') }}

),

admitted_products as (

    select
        product_id,
        boost
    from {{ ref('admitted_products') }}
    where
        surface = 'discover'
        and is_admitted

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

-- What many of the same customers buy comes first; where they are few, the description decides.
proposals as (

    select
        similarities.product_id,
        similarities.neighbor_product_id as recommended_product_id,
        case similarities.algorithm when 'cosine' then 1 else 2 end as tier,
        similarities.algorithm,
        cast(round(similarities.score * admitted_products.boost, 6) as double) as score,
        similarities.support,
        row_number() over (
            partition by similarities.product_id, similarities.neighbor_product_id
            order by similarities.algorithm desc
        ) as occurrence
    from similarities
    inner join admitted_products
        on similarities.neighbor_product_id = admitted_products.product_id
    where
        similarities.algorithm = 'content'
        or (
            similarities.algorithm = 'cosine'
            and similarities.support >= {{ var('item_recommendation_min_support') }}
        )

),

ranked as (

    select
        *,
        row_number() over (
            partition by product_id
            order by tier asc, score desc, support desc, recommended_product_id asc
        ) as rank
    from proposals
    where occurrence = 1

),

final as (

    select
        ranked.product_id,
        data_windows.as_of_date,
        cast(ranked.rank as int) as rank,
        ranked.recommended_product_id,
        ranked.algorithm,
        ranked.score,
        ranked.support,
        case ranked.algorithm
            when 'cosine' then 'bought_by_the_same'
            else 'similar_description'
        end as reason_code,
        case ranked.algorithm
            when 'cosine'
                then
                    cast(ranked.support as string)
                    || ' customers bought both this and "'
                    || products.product_name
                    || '".'
            else 'Much like "' || products.product_name || '".'
        end as reason
    from ranked
    inner join products
        on ranked.product_id = products.product_id
    cross join data_windows
    where ranked.rank <= {{ var('recommendations_per_surface') }}

)

select * from final
order by product_id, rank
