"""Stand-ins for other packages: put ``fastbearer.compat.`` before the import.

``from fastbearer.compat.jose import JWTError, jwt`` in place of
``from jose import JWTError, jwt``, and nothing else changes. Each package says
which version it stands in for, and docs/compat.md where it is stricter on purpose.
"""
