"""The product's version, and the Kapacitor that the runtime behaves as."""

PRODUCT = "scaffold-alerts"
PRODUCT_VERSION = "0.1.0"
# clients decide by this what they may ask for
VERSION = "1.8.3"
# as Kapacitor's, which has a branch and a commit in brackets
BUILD = f"(git: {PRODUCT} {PRODUCT_VERSION})"
