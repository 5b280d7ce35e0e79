{{ config(materialized='view') }}

{{ accepted_rows('events') }}
