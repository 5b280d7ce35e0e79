{{ config(enabled=source_is_enabled('custom')) }}

{{ custom_rows('campaign_contacts') }}
