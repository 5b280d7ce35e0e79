select
    cast(row_number() over (order by product_id) - 1 as int) as product,
    cast(cast(product_id as bigint) as text) as product_id,
    lower(coalesce(product_type, product_category, department)) as product_name,
    coalesce(product_category, department) as category,
    coalesce(product_type, category) as subcategory,
    cast(null as decimal(18, 2)) as list_price
from raw_products
