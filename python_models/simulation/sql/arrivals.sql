select * from rows
