select
    contacts.campaign_id,
    people.customer_id,
    contacts.contacted_at,
    case when not contacts.is_holdout then 'email' end as variant,
    contacts.is_holdout
from contacts
inner join people using (person)
order by contacts.campaign_id, people.customer_id
