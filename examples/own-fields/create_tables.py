"""Make the table of members, where a migration would be."""

import asyncio

from app import Base, sessions


async def main() -> None:
    async with sessions() as session, session.begin():
        connection = await session.connection()
        await connection.run_sync(Base.metadata.create_all)


asyncio.run(main())
