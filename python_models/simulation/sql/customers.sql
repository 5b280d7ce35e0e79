select
    customer_id,
    midnight(joined_day) as first_seen_at,
    ['19-24', '25-34', '35-44', '45-54', '55-64', '65+'][1 + below(uniform('age', person_key), 6)]
        as age_band,
    ['female', 'male', 'other'][1 + below(uniform('gender', person_key) ^ 1.2, 3)] as gender,
    ['north', 'south', 'east', 'west'][1 + below(uniform('region', person_key), 4)] as region,
    sha256(email) as email_hash
from people
where is_customer
order by customer_id
