-- What several persons used stands for none of them: no customer, and a person of its own.
select
    id_value,
    person_id,
    customer_id
from {{ ref('identity_map') }}
where
    status in ('shared_device', 'shared_address')
    and (
        customer_id is not null
        or person_id in (
            select person_id
            from {{ ref('identity_map') }}
            where id_type = 'customer_id'
        )
    )
