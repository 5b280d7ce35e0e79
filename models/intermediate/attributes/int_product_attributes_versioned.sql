{{ attribute_versions(
    'product_attribute_snapshots',
    'product_id',
    ['list_price', 'department', 'category', 'brand', 'is_private_label', 'is_active'],
) }}
