"""Values that the generated tests use, and what the generated code makes of them."""
