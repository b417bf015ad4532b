"""The routes that fastapi-users has, over the same flows: for its frontends."""
