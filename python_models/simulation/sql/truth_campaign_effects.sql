select
    campaigns.campaign_id,
    campaigns.starts_at,
    campaigns.ends_at,
    count(*) filter (where not contacts.is_holdout) as contacted,
    count(*) filter (where contacts.is_holdout) as held_out,
    getvariable('campaign_visit_uplift') as visit_uplift,
    getvariable('purchase_uplift') as purchase_uplift
from campaigns
inner join contacts using (campaign)
group by all
order by campaigns.campaign_id
