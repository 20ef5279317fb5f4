"""The disk: the only package that writes files."""

AS_BEFORE = "the tree is as before"
AS_AFTER = "the changes were made"
