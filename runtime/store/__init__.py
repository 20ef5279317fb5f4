"""The database: its tables, its sealed values, and files that survive a crash."""
