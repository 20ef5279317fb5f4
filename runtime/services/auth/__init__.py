"""Users, their passwords and permissions, and authorization of requests."""
