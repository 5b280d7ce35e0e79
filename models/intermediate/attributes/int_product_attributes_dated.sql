{{ dated_attributes(
    'int_products_accepted',
    'product_id',
    ['list_price', 'department', 'category', 'brand', 'is_private_label', 'is_active'],
) }}
