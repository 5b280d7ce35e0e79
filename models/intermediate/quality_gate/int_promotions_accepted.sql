{{ config(materialized='view') }}

{{ accepted_rows('promotions') }}
