"""What is being delivered, what was given up, and how handlers do."""
