{{ config(materialized='view') }}

{{ accepted_rows('consents') }}
