-- An offer of a product that neither the catalog nor a sale knows has no effect.
{{ config(severity='warn') }}

select offers.product_id
from {{ ref('product_offers') }} as offers
left join {{ ref('products') }} as products
    on offers.product_id = products.product_id
where products.product_id is null
