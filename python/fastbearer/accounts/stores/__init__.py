"""Where users are kept: the protocol of a store, and the stores that come with it."""
