"""Weekly demand forecasts: what the shop will sell of each category in the weeks to come.

`panel` reads the weekly series, `forecasters` and `pooled` forecast them, `evaluation` judges and
chooses by earlier weeks, `coherence` makes the parts add up, `report` does all of it, `days`
spreads weeks over their days, and `tables` reads and writes what the warehouse has.
"""
