{{ config(materialized='view') }}

{{ accepted_rows('campaign_contacts') }}
