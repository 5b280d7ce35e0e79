{{ check_rows(
    'promotions',
    known=[('product', 'product_id', 'int_products_accepted')],
) }}
