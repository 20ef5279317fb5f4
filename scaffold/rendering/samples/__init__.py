"""Values for the generated tests, and the requests that the generated code sends for them."""
