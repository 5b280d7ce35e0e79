select
    steps.order_id,
    people.customer_id,
    sessions.started_at + to_seconds(steps.second) as ordered_at,
    ordered_at as received_at,
    'web' as store_or_channel,
    'completed' as status
from steps
inner join sessions using (session_key)
inner join people using (person)
where steps.event_type = 'place_order'
order by steps.order_id
