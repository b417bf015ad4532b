"""Make the table of members, where a migration would be."""

import asyncio

from app import Base, engine


async def main() -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)


asyncio.run(main())
