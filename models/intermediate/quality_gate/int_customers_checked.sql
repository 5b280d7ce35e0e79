{{ check_rows('customers') }}
