"""Which Kapacitor this runtime behaves as."""

# clients decide by this what they may ask for
VERSION = "1.8.3"
DESCRIPTION = f"Kapacitor OSS {VERSION} (git: scaffold runtime)"
