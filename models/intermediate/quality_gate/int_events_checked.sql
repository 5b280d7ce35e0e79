{{ check_rows(
    'events',
    known=[('customer', 'customer_id', 'int_customers_accepted'), ('product', 'product_id', 'int_products_accepted')],
) }}
