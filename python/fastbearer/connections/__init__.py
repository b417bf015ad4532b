"""How servers are reached, and that one that is away is a `StoreUnavailableError`.

Nothing is imported here: each module needs the extra of its own server.
"""
