select
    person_id,
    customer_id,
    household_id,
    segment,
    midnight(joined_day) as joined_at,
    churned_day,
    price_sensitivity,
    first_category.category as first_category,
    second_category.category as second_category,
    third_category.category as third_category
from people
left join categories as first_category on people.category_1 = first_category.category_number
left join categories as second_category on people.category_2 = second_category.category_number
left join categories as third_category on people.category_3 = third_category.category_number
order by person_id
