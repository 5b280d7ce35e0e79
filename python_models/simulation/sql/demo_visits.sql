-- Households look at what they will buy on one of the three days before, and browse besides.
with

visits_before_baskets as (

    select
        person,
        day - 1 - below(uniform('days before', hash(person, first_line, 'basket')), 3) as day,
        first_line,
        line_count
    from demo_baskets
    where happens(
            'visit before',
            hash(person, first_line, 'basket'),
            getvariable('basket_visit_share')
        )

),

browsing as (

    select
        people.person,
        days.day,
        unnest(range(poisson(
            uniform('visits', hash(people.person, days.day)),
            getvariable('browsing_visits_per_week') / 7 * days.factor
        ))) as number
    from people
    cross join days

),

visits as (

    select * from visits_before_baskets
    union all by name
    select
        person,
        day
    from browsing

),

numbered as (

    select
        *,
        row_number() over (partition by person, day order by first_line nulls last) - 1 as visit
    from visits
    where day >= getvariable('first_day') and day < getvariable('end_day')

)

select
    hash(person, day, visit) as session_key,
    *,
    cast(null as int) as campaign
from numbered
where person >= getvariable('first_person') and person < getvariable('end_person')
