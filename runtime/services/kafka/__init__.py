"""The Kafka integration."""
