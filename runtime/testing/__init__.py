"""What tests need: loopback servers, clocks, frames."""
