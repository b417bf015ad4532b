"""What keeps our own tokens from being Better Auth's links."""

__all__ = ["NOT_A_LINK"]

NOT_A_LINK = {"requestType": 0}
"""Claims for every HS256 token under Better Auth's secret that names an e-mail.

Its ``/verify-email`` takes any such token for the link that it has mailed: who signs up
somewhere with another's e-mail could verify it, and be signed in. It wants text in this
claim, where there is one (``verifyEmail`` in its api/routes/email-verification).
"""
