"""The Foo integration."""
