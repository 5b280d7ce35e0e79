{{ check_rows(
    'order_lines',
    known=[('order', 'order_id', 'int_orders_accepted'), ('product', 'product_id', 'int_products_accepted')],
) }}
