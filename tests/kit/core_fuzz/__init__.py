"""Random calls of every entry point of the core, and what is wrong with an answer.

``python -m core_fuzz SECONDS`` makes them; ``__main__.py`` says how one is repeated.
"""
