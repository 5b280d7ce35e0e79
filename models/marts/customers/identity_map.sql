with

events as (

    select * from {{ ref('int_events_enriched') }}

),

customers as (

    select * from {{ ref('int_customer_persons_merged') }}

),

visitor_links as (

    select * from {{ ref('int_visitor_links_counted') }}

),

visitor_users as (

    select * from {{ ref('int_visitor_users_counted') }}

),

address_links as (

    select * from {{ ref('int_address_links_collected') }}

),

connected_identities as (

    select * from {{ ref('py_connected_identities') }}

),

seen_ids as (
    {% for id_type in ['anonymous_id', 'customer_id', 'email_hash'] %}
    select
        '{{ id_type }}' as id_type,
        {{ id_type }} as id_value,
        count(*) as events,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at,
        {{ source_of_rows('source_system') }} as source_system
    from events
    where {{ id_type }} is not null
    group by {{ id_type }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

persons as (

    select
        person_id,
        min(customer_id) as customer_id
    from customers
    group by person_id

),

addresses as (

    select
        email_hash,
        min(person_id) as person_id,
        min(customer_id) as customer_id,
        count(*) as customers,
        bool_or(is_email_shared) as is_shared,
        {{ source_of_rows('source_system') }} as source_system
    from customers
    where email_hash is not null
    group by email_hash

),

{%- for linked_type, name in [('customer_id', 'customer'), ('email_hash', 'address')] %}

devices_of_{{ name }} as (

    select
        linked_value,
        count(*) as devices,
        sum(days) as evidence_days,
        min(first_linked_at) as first_linked_at,
        {{ source_of_rows('source_system') }} as source_system
    from visitor_links
    where linked_type = '{{ linked_type }}'
    group by linked_value

),
{%- endfor %}

links_of_visitor as (

    select
        anonymous_id,
        count(*) as links
    from visitor_links
    group by anonymous_id

),

-- All links of a group are needed to join its ends: known with the last of them.
group_times as (

    select
        connected_identities.group_id,
        max(address_links.known_at) as linked_at
    from address_links
    inner join connected_identities
        on address_links.address_id = connected_identities.member_id
    group by connected_identities.group_id

),

-- Addresses of nobody known must not make one person of customers with addresses of their own.
joined_groups as (

    select
        connected_identities.group_id,
        coalesce(max(persons.person_id), connected_identities.group_id) as person_id,
        max(persons.customer_id) as customer_id
    from connected_identities
    left join persons
        on connected_identities.member_id = persons.person_id
    group by connected_identities.group_id
    having count(persons.person_id) <= 1

),

joined_members as (

    select
        connected_identities.member_id,
        joined_groups.person_id,
        joined_groups.customer_id,
        group_times.linked_at
    from connected_identities
    inner join joined_groups
        on connected_identities.group_id = joined_groups.group_id
    inner join group_times
        on connected_identities.group_id = group_times.group_id

),

visitor_rows as (

    select
        seen_ids.id_type,
        seen_ids.id_value,
        coalesce(
            visitor_users.person_id, joined_members.person_id, 'visitor:' || seen_ids.id_value
        ) as person_id,
        coalesce(visitor_users.customer_id, joined_members.customer_id) as customer_id,
        case
            when visitor_users.is_shared then 'shared_device'
            when visitor_users.person_id is not null then 'linked'
            when joined_members.person_id is not null then 'linked'
            else 'unlinked'
        end as status,
        case
            when visitor_users.person_id is not null then visitor_users.linked_by
            when joined_members.person_id is not null then 'email_hash'
        end as linked_by,
        case
            when visitor_users.person_id is not null then visitor_users.first_linked_at
            else joined_members.linked_at
        end as linked_at,
        coalesce(links_of_visitor.links, 0) as links,
        coalesce(visitor_users.days, 0) as evidence_days,
        case
            when visitor_users.persons > {{ var('identity_max_customers_per_device') }}
                then
                    'Used by ' || {{ counted('visitor_users.customers', 'customer') }}
                    || ', so that it stands for none of them.'
            when visitor_users.is_shared
                then
                    {{ counted('visitor_users.strange_addresses', 'e-mail address') }}
                    || ' entered, so that it stands for nobody.'
            when visitor_users.linked_by = 'login'
                then
                    'Logged in as customer ' || visitor_users.customer_id || ' on '
                    || {{ counted('visitor_users.days', 'day') }} || '.'
            when visitor_users.linked_by = 'email_hash'
                then
                    'Entered the e-mail address of customer ' || visitor_users.customer_id || ' on '
                    || {{ counted('visitor_users.days', 'day') }} || '.'
            when joined_members.customer_id is not null
                then
                    'Same e-mail address as entered on a device of customer '
                    || joined_members.customer_id || '.'
            when joined_members.person_id is not null
                then 'Entered an e-mail address of no known customer.'
            when links_of_visitor.links > 0
                then 'Entered only an e-mail address that links nobody.'
            else 'Nobody logged in.'
        end as reason,
        seen_ids.source_system
    from seen_ids
    left join visitor_users
        on seen_ids.id_value = visitor_users.anonymous_id
    left join links_of_visitor
        on seen_ids.id_value = links_of_visitor.anonymous_id
    left join joined_members
        on
            'visitor:' || seen_ids.id_value = joined_members.member_id
            and not coalesce(visitor_users.is_shared, false)
    where seen_ids.id_type = 'anonymous_id'

),

customer_rows as (

    select
        'customer_id' as id_type,
        customers.customer_id as id_value,
        customers.person_id,
        customers.customer_id,
        case
            when customers.customers_of_email > 1 and not customers.is_email_shared then 'linked'
            when devices_of_customer.devices > 0 then 'linked'
            else 'unlinked'
        end as status,
        case
            when customers.customers_of_email > 1 and not customers.is_email_shared
                then 'email_hash'
            when devices_of_customer.devices > 0 then 'login'
        end as linked_by,
        devices_of_customer.first_linked_at as linked_at,
        coalesce(devices_of_customer.devices, 0)
        + case when customers.is_email_shared then 0 else customers.customers_of_email - 1 end
            as links,
        cast(coalesce(devices_of_customer.evidence_days, 0) as bigint) as evidence_days,
        case
            when customers.is_email_shared
                then
                    'Shares the e-mail address with '
                    || {{ counted('customers.customers_of_email - 1', 'customer') }}
                    || ', too many to be one person.'
            when customers.customers_of_email > 1
                then
                    'Same e-mail address as '
                    || {{ counted('customers.customers_of_email - 1', 'other customer') }} || '.'
            when devices_of_customer.devices > 0
                then
                    'Logged in on ' || {{ counted('devices_of_customer.devices', 'device') }} || '.'
            else 'Never seen on a device.'
        end as reason,
        customers.source_system
    from customers
    left join devices_of_customer
        on customers.customer_id = devices_of_customer.linked_value

),

address_rows as (

    select
        'email_hash' as id_type,
        coalesce(addresses.email_hash, devices_of_address.linked_value) as id_value,
        coalesce(
            case when not addresses.is_shared then addresses.person_id end,
            joined_members.person_id,
            'email:' || coalesce(addresses.email_hash, devices_of_address.linked_value)
        ) as person_id,
        coalesce(
            case when not addresses.is_shared then addresses.customer_id end,
            joined_members.customer_id
        ) as customer_id,
        case
            when addresses.is_shared then 'shared_address'
            when addresses.person_id is not null then 'linked'
            when joined_members.person_id is not null then 'linked'
            else 'unlinked'
        end as status,
        case
            when addresses.is_shared then null
            when addresses.person_id is not null then 'customer_file'
            when joined_members.person_id is not null then 'email_hash'
        end as linked_by,
        case
            when addresses.person_id is null then joined_members.linked_at
        end as linked_at,
        coalesce(addresses.customers, 0) + coalesce(devices_of_address.devices, 0) as links,
        cast(coalesce(devices_of_address.evidence_days, 0) as bigint) as evidence_days,
        case
            when addresses.is_shared
                then
                    'Address of ' || {{ counted('addresses.customers', 'customer') }}
                    || ', so that it links none of them.'
            when addresses.customers > 1
                then
                    'Address of ' || {{ counted('addresses.customers', 'customer') }}
                    || ', taken for one person.'
            when addresses.customers = 1
                then 'Address of customer ' || addresses.customer_id || '.'
            when joined_members.customer_id is not null
                then 'Entered on a device of customer ' || joined_members.customer_id || '.'
            when joined_members.person_id is not null
                then
                    'Entered on ' || {{ counted('devices_of_address.devices', 'device') }}
                    || ' of no known customer.'
            else
                'Entered on ' || {{ counted('devices_of_address.devices', 'device') }}
                || ', which does not tell whose it is.'
        end as reason,
        coalesce(addresses.source_system, devices_of_address.source_system) as source_system
    from addresses
    full outer join devices_of_address
        on addresses.email_hash = devices_of_address.linked_value
    left join joined_members
        on 'email:' || devices_of_address.linked_value = joined_members.member_id

),

all_rows as (

    select * from visitor_rows
    union all
    select * from customer_rows
    union all
    select * from address_rows

),

final as (

    select
        all_rows.id_type,
        all_rows.id_value,
        all_rows.person_id,
        all_rows.customer_id,
        all_rows.status,
        all_rows.linked_by,
        all_rows.linked_at,
        seen_ids.first_seen_at,
        seen_ids.last_seen_at,
        coalesce(seen_ids.events, 0) as events,
        all_rows.links,
        all_rows.evidence_days,
        all_rows.reason,
        all_rows.source_system
    from all_rows
    left join seen_ids
        on
            all_rows.id_type = seen_ids.id_type
            and all_rows.id_value = seen_ids.id_value

)

select * from final
order by id_type, id_value
