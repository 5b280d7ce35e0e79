{{ check_rows('erasure_requests') }}
