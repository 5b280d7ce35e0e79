with

own_devices as (

    select
        person,
        unnest(range(own_devices)) as device_index,
        'a' || lpad(person::text, 8, '0') || '-' || device_index as anonymous_id,
        false as is_shared,
        case
            when not is_customer then 'none'
            when has_email_device and device_index = 1 then 'email'
            else 'login'
        end as link
    from people

),

shared_devices as (

    select
        person,
        own_devices as device_index,
        'h' || lpad((person // 2)::text, 8, '0') as anonymous_id,
        true as is_shared,
        'login' as link
    from people
    where shares_device

),

devices as (

    select * from own_devices
    union all
    select * from shared_devices

)

select
    person,
    device_index::int as device_index,
    anonymous_id,
    is_shared,
    link,
    case
        when is_shared then 'tablet'
        when happens('device', hash(person, device_index, 'device'), 0.6) then 'mobile'
        when happens('device', hash(person, device_index, 'device'), 0.9) then 'desktop'
        else 'tablet'
    end as device
from devices
order by person, device_index
