{{ check_rows(
    'order_lines',
    known=[
        ('order', 'order_id', 'int_orders_accepted'),
        ('excepted_order', 'order_id', 'int_orders_checked'),
        ('product', 'product_id', 'int_products_accepted'),
        ('returned_line', 'returned_order_line_id', 'int_returned_lines_collected'),
    ],
) }}
