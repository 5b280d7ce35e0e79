"""The warehouse in Dagster: the dbt graph, its raw files, its schedule and its snapshot."""
