{{ config(materialized='view') }}

{{ accepted_rows('order_lines') }}
