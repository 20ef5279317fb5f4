"""Users, their passwords and permissions, and who may do what over HTTP."""
