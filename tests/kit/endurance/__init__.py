"""A deployment under mixed traffic whose stores are killed, and what it must keep to.

`python -m endurance` runs the service with two workers, PostgreSQL, Redis and an
issuer whose keys rotate, all of its own. Visitors note what they were promised;
whatever breaks a promise is a fault:

- `deployment` starts and kills; `wire` speaks HTTP to one worker at a time,
- `ledger` judges each answer, `promises` what has to be true at the end,
- `accounts`, `visits`, `sessions` and `strangers` are the traffic,
- `outages` has each store killed, `watch` measures the workers between requests,
- `campaign` is the order of it all, and `report` shows what came of it.
"""
