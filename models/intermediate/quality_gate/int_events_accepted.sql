{{ accepted_rows('events') }}
