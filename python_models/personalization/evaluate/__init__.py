"""The command `personalization evaluate`: which generator ranks best on your own data."""
