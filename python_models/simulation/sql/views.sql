-- What happens around each product view. One product stays in the cart of a session with a cart.
with

drawn as (

    select
        choices.session_key,
        choices.view,
        choices.view_key,
        choices.product,
        drafts.has_cart,
        choices.view = below(uniform('cart view', choices.session_key), drafts.views) as is_kept,
        products.product_id,
        products.product_name,
        products.category,
        products.subcategory
    from choices
    inner join drafts using (session_key)
    inner join products using (product)

)

select
    session_key,
    10 + 10 * view as position,
    view_key,
    product,
    product_id,
    category,
    happens('search', view_key, getvariable('search_share')) as has_search,
    has_search and happens('zero results', view_key, getvariable('zero_result_share'))
        as has_empty_search,
    not has_search and happens('category page', view_key, getvariable('category_page_share'))
        as has_category_page,
    happens('share', view_key, getvariable('share_share')) as is_shared,
    happens('review', view_key, getvariable('review_share')) as is_reviewed,
    has_cart
    and (is_kept or happens('further cart', view_key, getvariable('further_cart_share')))
        as is_added,
    is_added and not is_kept and happens('removal', view_key, getvariable('removal_share'))
        as is_removed,
    1
    + cast(happens('further unit', view_key, getvariable('further_unit_share')) as int)
    * (1 + below(uniform('third unit', view_key), 2)) as quantity,
    case
        when happens('query', view_key, 0.6) then lower(subcategory)
        when happens('query', view_key, 0.8) then lower(product_name)
        when happens('query', view_key, 0.9) then '  ' || upper(subcategory) || ' '
        else lower(category)
    end as search_query
from drawn
