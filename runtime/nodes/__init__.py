"""The running nodes of a task, each taking points and passing points on."""
