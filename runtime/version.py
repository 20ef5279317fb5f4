"""The product's version, and the Kapacitor that the runtime behaves as."""

PRODUCT = "scaffold-alerts"
PRODUCT_VERSION = "0.1.0"
# clients decide by this version which requests they may send
VERSION = "1.8.3"
# in the form of Kapacitor's, which has a branch and a commit in brackets
BUILD = f"(git: {PRODUCT} {PRODUCT_VERSION})"
