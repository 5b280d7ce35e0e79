-- What several persons used stands for none of them: no customer, and a person of its own.
select
    identities.id_value,
    identities.person_id,
    identities.customer_id
from {{ ref('identity_map') }} as identities
where
    identities.status in ('shared_device', 'shared_address')
    and (
        identities.customer_id is not null
        or identities.person_id in (
            select customers.person_id
            from {{ ref('identity_map') }} as customers
            where customers.id_type = 'customer_id'
        )
    )
