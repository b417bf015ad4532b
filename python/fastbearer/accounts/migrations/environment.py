"""What Alembic's ``env.py`` does, for every folder of steps."""

from alembic import context

__all__ = ["run"]


def run() -> None:
    """Take the steps on the connection that the configuration has."""
    attributes = context.config.attributes
    context.configure(
        connection=attributes["connection"],
        version_table=attributes["version_table"],
        transactional_ddl=False,  # the transaction is that of the caller
    )
    context.run_migrations()
