"""Generators of recommendations: each learns from one state of a shop how to score any item.

Nothing is imported here: dbt loads models on several threads, and a package that imports its own
modules while another thread asks for one of them may be seen half made.
"""
