"""Databases that SQLAlchemy speaks to: how they are opened, and when they are away."""

from fastbearer.sql.connections import Connections
from fastbearer.sql.engine import visible_outages

__all__ = ["Connections", "visible_outages"]
