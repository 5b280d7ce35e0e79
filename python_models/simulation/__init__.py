"""A simulated shop: data of any size whose truth is known.

Everything is drawn by DuckDB from hashes of (seed, purpose, entity), never from a generator with a
state: so blocks of people and days are made apart from each other, and the same parameters give
the same bytes on any number of threads. What it shows is whether code is right and fast, never how
accurate a model is for real customers.
"""
