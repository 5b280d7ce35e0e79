-- As long as anything that may be offered was ever sold, there is a list for customers unknown.
with

list_of_everyone as (

    select count(*) as recommended_products
    from {{ ref('segment_recommendations') }}
    where segment_type = 'everyone'

),

offers as (

    select count(*) as sold_products
    from {{ ref('admitted_products') }} as admitted_products
    inner join {{ ref('products') }} as products
        on admitted_products.product_id = products.product_id
    where
        admitted_products.surface = 'cold_start'
        and admitted_products.is_admitted
        and products.orders > 0

)

select
    list_of_everyone.recommended_products,
    offers.sold_products
from list_of_everyone
cross join offers
where
    list_of_everyone.recommended_products = 0
    and offers.sold_products > 0
