"""What the commands do, one module a command; nothing heavy is imported before a command runs."""
