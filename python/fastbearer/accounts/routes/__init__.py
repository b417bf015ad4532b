"""The HTTP routes of the accounts."""
