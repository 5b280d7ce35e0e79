-- Which product each view of a session shows.
with

views as (

    select
        session_key,
        person,
        unnest(range(views)) as view,
        hash(session_key, view, 'view') as view_key
    from drafts
    where views > 0

),

-- A favorite is the product that its own key draws, so it is the same whenever it comes up.
keyed as (

    select
        *,
        case
            when happens('favorite', view_key, getvariable('favorite_share'))
                then hash(
                        person,
                        below(uniform('which favorite', view_key), getvariable('favorites')),
                        'favorite'
                    )
            else view_key
        end as choice_key
    from views

),

categorized as (

    select
        keyed.*,
        people.price_sensitivity,
        uniform('category', choice_key) as u,
        case
            when u < getvariable('first_category_share') then people.category_1
            when
                u < getvariable('first_category_share') + getvariable('second_category_share')
                then people.category_2
            when
                u < getvariable('first_category_share')
                + getvariable('second_category_share')
                + getvariable('third_category_share')
                then people.category_3
            else zipf_rank(
                    uniform('any category', choice_key), 20, getvariable('popularity_exponent')
                )
        end as category_number
    from keyed
    inner join people using (person)

),

-- Product numbers go through the categories in turn, from each one's most popular product on.
weighed as (

    select
        *,
        category_number + 20 * zipf_rank(
            uniform('rank', choice_key),
            getvariable('products') // 20,
            getvariable('popularity_exponent')
        ) as first_product,
        category_number + 20 * zipf_rank(
            uniform('other rank', choice_key),
            getvariable('products') // 20,
            getvariable('popularity_exponent')
        ) as other_product
    from categorized

)

select
    weighed.session_key,
    weighed.view,
    weighed.view_key,
    case
        when
            others.list_price < firsts.list_price
            and happens('cheaper', weighed.choice_key, weighed.price_sensitivity)
            then weighed.other_product
        else weighed.first_product
    end as product
from weighed
inner join products as firsts on weighed.first_product = firsts.product
inner join products as others on weighed.other_product = others.product
