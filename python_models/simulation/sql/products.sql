with

categories (category_number, category, department, usual_price, nouns) as (

    values
    (0, 'Coffee', 'Groceries', 9, ['espresso', 'filter coffee', 'café crème', 'decaf']),
    (1, 'Chocolate', 'Groceries', 4, ['dark chocolate', 'milk chocolate', 'truffles']),
    (2, 'Tea', 'Groceries', 6, ['green tea', 'black tea', 'herbal tea', 'matcha']),
    (3, 'Skin care', 'Beauty', 15, ['face cream', 'body lotion', 'sunscreen', 'serum']),
    (4, 'Toys', 'Children', 20, ['puzzle', 'building blocks', 'teddy bear', 'board game']),
    (5, 'Kitchen tools', 'Home', 18, ['knife', 'cutting board', 'whisk', 'peeler']),
    (6, 'Shirts', 'Clothing', 30, ['t-shirt', 'polo shirt', 'blouse', 'linen shirt']),
    (7, 'Snacks', 'Groceries', 3, ['pretzels', 'crackers', 'nuts', 'jalapeño chips']),
    (8, 'Shoes', 'Clothing', 70, ['sneakers', 'boots', 'sandals', 'loafers']),
    (9, 'Bedding', 'Home', 45, ['pillow', 'duvet', 'sheet set', 'blanket']),
    (10, 'Hair care', 'Beauty', 10, ['shampoo', 'conditioner', 'hair oil', 'brush']),
    (11, 'Baby care', 'Children', 12, ['diapers', 'wipes', 'bottle', 'pacifier']),
    (12, 'Lighting', 'Home', 40, ['desk lamp', 'floor lamp', 'string lights', 'bulb']),
    (13, 'Cereal', 'Groceries', 5, ['granola', 'müsli', 'oatmeal', 'corn flakes']),
    (14, 'Trousers', 'Clothing', 50, ['jeans', 'chinos', 'shorts', 'leggings']),
    (15, 'Stationery', 'Office', 7, ['notebook', 'fountain pen', 'marker', 'planner']),
    (16, 'Audio', 'Electronics', 80, ['headphones', 'speaker', 'earbuds', 'microphone']),
    (17, 'Pets', 'Home', 14, ['dog food', 'cat litter', 'leash', 'cat tree']),
    (18, 'Garden', 'Home', 25, ['planter', 'garden hose', 'seeds', 'trowel']),
    (19, 'Cables', 'Electronics', 11, ['usb cable', 'charger', 'adapter', 'power bank'])

),

numbered as (

    select
        cast(range as int) as product,
        hash(cast(range as int), 'product') as product_key,
        cast(range % 20 as int) as category_number,
        cast(range // 20 as int) as category_rank
    from range(getvariable('products'))

),

named as (

    select
        *,
        nouns[1 + below(uniform('noun', product_key), len(nouns))] as noun,
        [
            'Classic', 'Organic', 'Premium', 'Everyday', 'Nordic', 'Crème', 'Little', 'Urban',
            'Golden', 'Fresh', 'Smart', 'Pure'
        ][1 + below(uniform('adjective', product_key), 12)] as adjective,
        below(uniform('brand', product_key), 12) as brand_number
    from numbered
    inner join categories using (category_number)

)

select
    product,
    category_number,
    category_rank,
    'p' || lpad(cast(product as text), 6, '0') as product_id,
    adjective || ' ' || noun || ' ' || (1 + category_rank) as product_name,
    case when brand_number = 0 then 'House brand' else 'Brand ' || brand_number end as brand,
    brand_number = 0 as is_private_label,
    department,
    category,
    noun as subcategory,
    ['S', 'M', 'L'][1 + below(uniform('size', product_key), 3)] as size,
    cast(greatest(0.5, usual_price * exp(0.4 * normal('price', product_key))) as decimal(18, 2))
        as list_price,
    true as is_active,
    true as is_merchandise
from named
order by product
