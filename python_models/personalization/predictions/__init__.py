"""What customers will do next: chosen, back-tested and explained at every cutoff.

`rhythms` describes customers, `ladders` lists the models of each target (`propensity`, `spending`,
`lifetimes`, `next_orders`), `predicting` chooses and fits them in time, `conformal` and
`contributions` put intervals and reasons beside their predictions; `metrics` and `backtests`,
`fairness` and `drift` judge them.
"""
