"""What surrounds the dbt project: its raw files, its checksum and the queries of its README."""
