{% test unique_combination(model, column_names) %}

select
    {{ column_names | join(',\n    ') }},
    count(*) as rows_of_one_key
from {{ model }}
group by {{ column_names | join(', ') }}
having count(*) > 1

{% endtest %}
