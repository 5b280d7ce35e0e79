-- A method without a phrase would be missing from the reasons of the forecasts it is part of.
select distinct forecasts.method
from {{ ref('py_demand_forecasts') }} as forecasts
left join {{ ref('demand_methods') }} as methods
    on forecasts.method = methods.method
where
    methods.method is null
    and forecasts.method not in ('chosen', 'mean_of_best', 'bottom_up', 'direct')
