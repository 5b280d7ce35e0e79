{{ check_rows('campaigns') }}
