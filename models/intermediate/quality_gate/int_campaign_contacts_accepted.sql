{{ accepted_rows('campaign_contacts') }}
