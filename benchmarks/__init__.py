"""Whole-process comparisons of the warehouse with what else one would use."""
