"""What a script says: its nodes, their properties, and what may follow what."""
