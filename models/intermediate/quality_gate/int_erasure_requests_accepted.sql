{{ config(materialized='view') }}

{{ accepted_rows('erasure_requests') }}
