"""MCP servers that verify their tokens as the FastAPI layer does.

    from fastbearer.mcp import TokenVerifier, auth_settings

For the SDK ``mcp``; `fastbearer.mcp.fastmcp` is for the package ``fastmcp``. Each needs
its package, which is yours to choose.
"""

from fastbearer.extras import needs_extra

with needs_extra("mcp"):
    from fastbearer.mcp.outages import OutageMiddleware
    from fastbearer.mcp.verifier import TokenVerifier, auth_settings

__all__ = ["OutageMiddleware", "TokenVerifier", "auth_settings"]
