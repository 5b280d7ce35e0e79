{{ check_rows('products') }}
