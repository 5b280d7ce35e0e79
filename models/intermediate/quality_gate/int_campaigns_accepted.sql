{{ config(materialized='view') }}

{{ accepted_rows('campaigns') }}
