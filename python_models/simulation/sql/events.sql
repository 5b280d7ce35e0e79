with

session_events as (

    select
        sessions.session_id || '-' || lpad(steps.position::text, 4, '0') as event_id,
        steps.event_key,
        sessions.session_id,
        people.person_id,
        steps.event_type,
        sessions.started_at + to_seconds(steps.second) as occurred_at,
        case when steps.position >= sessions.login_position then people.customer_id end
            as customer_id,
        sessions.anonymous_id,
        steps.product_id,
        case when steps.event_type = 'email_click' then campaigns.campaign_id end as campaign_id,
        steps.order_id,
        case
            when
                steps.event_type = 'identify'
                and (
                    sessions.link = 'email'
                    or happens('login email', steps.event_key, getvariable('login_email_share'))
                )
                then case
                        when happens('typing', steps.event_key, 0.2) then ' ' || upper(people.email)
                        else people.email
                    end
        end as email,
        steps.search_query,
        steps.search_results,
        steps.quantity,
        steps.dwell_seconds,
        steps.rating,
        devices.device,
        steps.page_path,
        channels.referrer_host,
        channels.traffic_source,
        channels.traffic_medium,
        coalesce(campaigns.campaign_id, channels.traffic_campaign) as traffic_campaign
    from steps
    inner join sessions using (session_key)
    inner join people using (person)
    inner join devices using (person, device_index)
    inner join channels using (channel)
    left join campaigns using (campaign)

),

-- An e-mail is opened in a mail program: it is no part of a session.
opens as (

    select
        contacts.campaign_id || '-open-' || people.customer_id as event_id,
        hash(contacts.person, contacts.campaign, 'open') as event_key,
        people.person_id,
        'email_open' as event_type,
        contacts.contacted_at
        + to_seconds(below(uniform('open time', event_key), 48 * 3600)) as occurred_at,
        people.customer_id,
        contacts.campaign_id
    from contacts
    inner join people using (person)
    where
        not contacts.is_holdout
        and contacts.first_day >= getvariable('first_day')
        and contacts.first_day < getvariable('end_day')
        and contacts.person >= getvariable('first_person')
        and contacts.person < getvariable('end_person')
        and happens('open', event_key, getvariable('campaign_open_share'))
        and occurred_at < midnight(getvariable('days'))

)

select * from session_events
union all by name
select * from opens
