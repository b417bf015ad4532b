"""Redis: how a client is made, and when it is away."""

from fastbearer.redis.client import redis_client, visible_outages

__all__ = ["redis_client", "visible_outages"]
