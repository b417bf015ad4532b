"""The version of PyJWT that this package stands in for."""

__all__ = ["__version__"]

__version__ = "2.15.1"
