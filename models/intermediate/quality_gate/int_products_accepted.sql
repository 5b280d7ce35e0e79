{{ config(materialized='view') }}

{{ accepted_rows('products') }}
