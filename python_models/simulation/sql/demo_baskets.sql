select
    people.person,
    demo_lines.basket_id,
    min(demo_lines.line) as first_line,
    count(*) as line_count,
    cast(min(demo_lines.date) - cast(getvariable('starts_on') as date) as int) as day
from demo_lines
inner join people using (household_id)
group by people.person, demo_lines.basket_id
order by people.person, first_line
