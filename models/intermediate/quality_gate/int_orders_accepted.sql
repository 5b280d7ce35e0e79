{{ config(materialized='view') }}

{{ accepted_rows('orders') }}
