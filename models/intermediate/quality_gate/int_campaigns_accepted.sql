{{ accepted_rows('campaigns') }}
