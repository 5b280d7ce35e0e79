with

lists as (

    select * from {{ ref('py_recommendation_lists') }}

),

interactions as (

    select * from {{ ref('int_interactions_weighted') }}
    where is_newest

),

products as (

    select * from {{ ref('products') }}

),

cold_customers as (

    select * from {{ ref('cold_customers') }}

),

segment_recommendations as (

    select * from {{ ref('segment_recommendations') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

-- How many customers bought a product of late, for the reasons that point to them.
recent_buyers as (

    select
        product_id,
        count(case when recent_purchase_count > 0 then 1 end) as recent_customers
    from interactions
    group by product_id

),

final as (

    select
        lists.customer_id,
        data_windows.as_of_date,
        lists.surface,
        cast(lists.rank as int) as rank,
        lists.item_id as product_id,
        lists.score,
        lists.scored_by,
        lists.is_exploration,
        lists.reason_code,
        lists.reason_item_id as reason_product_id,
        case lists.reason_code
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
                    'Customers who buy '
                    || case
                        when reason_products.product_name = products.product_name
                            then 'another kind of '
                        else ''
                    end
                    || '"'
                    || reason_products.product_name
                    || '", as you last did on '
                    || cast({{ add_days(
                        'data_windows.as_of_date', '-reason_interactions.days_since_last_purchase'
                    ) }} as string)
                    || ', buy this too.'
            when 'similar_taste' then 'Customers with a taste like yours buy this.'
            when 'popular_in_segment' then segment_recommendations.reason
            when 'trending'
                then
                    'On the rise: '
                    || {{ counted('recent_buyers.recent_customers', 'customer') }}
                    || ' bought it in the last 28 days,'
                    || ' a larger share of all purchases than before.'
            when 'exploration' then 'Something to discover.'
            else
                coalesce(
                    segment_recommendations.reason,
                    case
                        when recent_buyers.recent_customers > 0
                            then
                                'Popular now: '
                                || {{ counted('recent_buyers.recent_customers', 'customer') }}
                                || ' bought it in the last 28 days.'
                        when products.orders > 0
                            then
                                'Bought in '
                                || {{ counted('products.orders', 'order') }}
                                || ' so far.'
                        else 'New in the shop.'
                    end
                )
        end as reason
    from lists
    cross join data_windows
    left join interactions
        on
            lists.customer_id = interactions.customer_id
            and lists.item_id = interactions.product_id
    left join interactions as reason_interactions
        on
            lists.customer_id = reason_interactions.customer_id
            and lists.reason_item_id = reason_interactions.product_id
    left join recent_buyers
        on lists.item_id = recent_buyers.product_id
    left join products
        on lists.item_id = products.product_id
    left join products as reason_products
        on lists.reason_item_id = reason_products.product_id
    left join cold_customers
        on
            lists.customer_id = cold_customers.customer_id
            and lists.surface = 'cold_start'
    left join segment_recommendations
        on
            cold_customers.segment_type = segment_recommendations.segment_type
            and cold_customers.segment = segment_recommendations.segment
            and lists.item_id = segment_recommendations.product_id

)

select * from final
order by customer_id, surface, rank
