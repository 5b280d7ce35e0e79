{{ dated_attributes(
    'int_customers_accepted',
    'customer_id',
    ['region', 'home_ownership', 'household_size', 'household_composition', 'kids_count'],
) }}
