{{ attribute_versions(
    'customer_attribute_snapshots',
    'customer_id',
    ['region', 'home_ownership', 'household_size', 'household_composition', 'kids_count'],
) }}
