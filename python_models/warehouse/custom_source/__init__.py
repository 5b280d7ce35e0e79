"""The source `custom`: a shop's own files and tables, read as its settings say.

Whatever the format, a file is first read as text (`files`), then each column of the contract is
made from the text in one way (`casts`). What was read is kept in the warehouse (`loading`), so that
a build sees every file once and as it was at that moment, and the next build reads only the files
that are new or have changed.
"""

from warehouse.custom_source.loading import check_custom_source, load_custom_source

__all__ = ["check_custom_source", "load_custom_source"]
