"""Where the project is, and the secrets that tests sign with."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT.parent / "shared" / "vectors"
"""Third-party test vectors; tests that read them skip where they are absent."""

SECRET = "q7Wn3VfB0sXcE5rT9yUiK2mLhJ8gDzA4pO6vNxCbQwY"
"""A strong HMAC secret: 43 URL-safe characters."""

OTHER_SECRET = "Zt8RkPj1Hx6LmYb4VqGd9WnSc2Ff7TuEo3Ia5XyKw0M"
"""A second one, for signatures that must not match."""
