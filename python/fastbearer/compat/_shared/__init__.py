"""What several stand-ins need; nothing outside ``fastbearer.compat`` imports it."""
