{{ union_sources('campaign_contacts') }}
