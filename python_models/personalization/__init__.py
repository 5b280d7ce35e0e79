"""The algorithms: plain functions on frames and matrices that know nothing of dbt."""
