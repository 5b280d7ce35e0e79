{{ check_rows(
    'orders',
    known=[('customer', 'customer_id', 'int_customers_accepted')],
) }}
