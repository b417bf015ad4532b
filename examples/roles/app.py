"""Roles that become scopes, user names, and the password form for Swagger UI."""

from typing import Annotated, Any

from fastapi import FastAPI, Security

from fastbearer.accounts import Accounts, User
from fastbearer.fastapi import TokenUser, auth

SCOPES = {
    "reader": {"articles:read"},
    "editor": {"articles:read", "articles:write"},
}
articles: list[dict[str, str]] = []


async def claims_of(user: User) -> dict[str, Any]:
    scopes = set[str]().union(*(SCOPES.get(role, set()) for role in user.roles))
    return {"roles": user.roles, "scope": " ".join(sorted(scopes))}


accounts = Accounts(
    auth, claims=claims_of, names=("email", "username"), password_form=True
)
app = FastAPI(title="Articles")
app.include_router(accounts.router)

Reader = Annotated[TokenUser, Security(auth.requires, scopes=["articles:read"])]
Editor = Annotated[TokenUser, Security(auth.requires, scopes=["articles:write"])]


@app.get("/articles")
async def list_articles(user: Reader) -> list[dict[str, str]]:
    return articles


@app.post("/articles", status_code=201)
async def add_article(title: str, user: Editor) -> dict[str, str]:
    articles.append({"title": title, "by": user["email"]})
    return articles[-1]
