{{ check_rows(
    'consents',
    known=[('customer', 'customer_id', 'int_customers_accepted')],
) }}
