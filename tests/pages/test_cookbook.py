"""docs/cookbook: each page's files, run as a reader runs them."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from accounts_kit import http
from better_auth_tables import TOKEN, WEEK, better_auth_tables
from browser import chromium, open_page
from fastbearer import Key
from fastbearer.better_auth import BetterAuth
from key_server import KeyServer, serving
from mail_server import MailServer
from project import OTHER_SECRET, SECRET
from recipes import Files, blocks, recipe
from servers import own_database

pytestmark = pytest.mark.http

ADA = {"email": "ada@example.com", "password": "correct horse battery"}
GRACE = {"email": "grace@example.com", "password": "another horse battery"}
AUTH = "/api/auth"
NO_NGINX = "NO NGINX FOUND: Debian's package nginx-light is needed"


def files_of(name: str, folder: Path, **settings: str) -> Files:
    """Return the files of a page, whose accounts are in the folder."""
    database = {"DATABASE_URL": f"sqlite:///{folder}/accounts.db", "THROTTLE": "0"}
    return Files(recipe(name), folder, **{**database, **settings})


def create_user(files: Files, *options: str, **user: str) -> None:
    user = user or ADA
    files.run(
        *("fastbearer", "user", "create", "--email", user["email"]),
        *("--password-stdin", *options),
        stdin=f"{user['password']}\n",
    )


def post(url: str, body: Any = None, *, token: str = "", **headers: str) -> Any:
    """Post JSON; return the response."""
    return http.post(url, json=body, headers={**bearer(token), **headers})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def token_of(url: str, user: dict[str, str] = ADA, way: str = "signin") -> str:
    response = post(f"{url}{AUTH}/{way}", user)
    assert response.is_success, response.text
    return str(response.json()["data"]["token"])


# --- users --------------------------------------------------------------------


@pytest.mark.parametrize("app", ["main:app", "scopes:app"])
def test_roles(tmp_path: Path, app: str) -> None:
    files = files_of("roles", tmp_path)
    create_user(files, "--roles", "editor")
    with files.served(app) as url:
        assert post(f"{url}/articles?title=x", token=token_of(url)).status_code == 201
        other = token_of(url, GRACE, "signup")
        refused = post(f"{url}/articles?title=x", token=other)
        assert refused.status_code == 403
        assert (
            app != "main:app" or refused.json()["detail"] in recipe("roles").read_text()
        )
        assert post(f"{url}/articles?title=x").status_code == 401


def test_a_role_is_changed_on_the_command_line(tmp_path: Path) -> None:
    files = files_of("roles", tmp_path)
    create_user(files)
    files.run(
        *["fastbearer", "user", "set", "ada@example.com", "--roles", "editor,admin"]
    )
    with files.served() as url:
        token = token_of(url)
        assert post(f"{url}/articles?title=x", token=token).status_code == 201
        assert http.get(f"{url}/articles", headers=bearer(token)).json() != []


@pytest.mark.parametrize("app", ["main:app", "plan:app"])
def test_own_fields(tmp_path: Path, app: str) -> None:
    files = files_of("own-fields", tmp_path, DATABASE_URL="sqlite:///app.db")
    with files.served(app) as url:
        assert post(f"{url}{AUTH}/signup", ADA).json() == {
            "detail": "Company must have 2 characters or more"
        }
        token = token_of(url, {**ADA, "company": "Acme"}, "signup")
        changed = http.patch(
            f"{url}{AUTH}/me", json={"company": "Ajax"}, headers=bearer(token)
        )
        assert changed.status_code == 200, changed.text
        me = http.get(f"{url}{AUTH}/me", headers=bearer(token)).json()["data"]
        assert (me["company"], me["plan"]) == ("Ajax", "free")
        if app == "plan:app":
            said = http.get(f"{url}/plan", headers=bearer(token)).json()
            assert said == "Ajax has the plan free"
        document = http.get(f"{url}/openapi.json").json()["components"]["schemas"]
        assert {"CustomerSignUp", "PublicCustomer"} <= set(document)


def test_invitations(tmp_path: Path) -> None:
    files = files_of("invitations", tmp_path, SIGN_UP="invitation")
    create_user(files, "--roles", "admin")
    with files.served() as url:
        assert post(f"{url}{AUTH}/signup", GRACE).status_code == 403
        asked = post(
            f"{url}/invitations", {"email": GRACE["email"]}, token=token_of(url)
        )
        code = asked.json()["link"].partition("code=")[2]
        body = json.loads(
            next(
                one.code
                for one in blocks(recipe("invitations"))
                if one.language == "json"
            )
        )
        assert set(body) == {"email", "password", "invitation"}
        assert body["email"] == GRACE["email"]
        token = token_of(url, {**body, "invitation": code}, "signup")
        mine = post(f"{url}/invitations", {"email": "x@example.com"}, token=token)
        assert mine.status_code == 403
        new = ("--email", "new@example.com", "--roles", "member", "--days", "2")
        files.run("fastbearer", "user", "invite", *new)
        open_ones = files.run("fastbearer", "user", "invitations").splitlines()
        (line,) = [one for one in open_ones if "new@example.com" in one]
        files.run("fastbearer", "user", "uninvite", line.split()[0])
        left = files.run("fastbearer", "user", "invitations")
        assert line not in left


@pytest.fixture
def mailbox() -> Iterator[MailServer]:
    with MailServer().running() as server:
        yield server


def code_in(text: str) -> str:
    found = re.search(r"code=([\w-]+)", text)
    assert found, text
    return found[1]


def test_email(tmp_path: Path, mailbox: MailServer) -> None:
    files = files_of(
        "email",
        tmp_path,
        SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}",
        MAIL_FROM="App <no-reply@example.com>",
        MAIL_LINK="https://app.example.com/{purpose}?code={code}",
        EMAIL_VERIFICATION="1",
    )
    with files.served() as url:
        token_of(url, ADA, "signup")
        text = mailbox.next().get_content()
        assert "https://app.example.com/verify_email?code=" in text
        verified = post(f"{url}{AUTH}/verify-email", {"code": code_in(text)})
        assert verified.status_code == 200
        post(f"{url}{AUTH}/forgot-password", {"email": ADA["email"]})
        text = mailbox.next().get_content()
        body = {"code": code_in(text), "password": "a new horse battery"}
        assert post(f"{url}{AUTH}/reset-password", body).status_code == 200
        token_of(url, {**ADA, "password": "a new horse battery"})


def test_email_in_own_words(tmp_path: Path, mailbox: MailServer) -> None:
    files = files_of(
        "email",
        tmp_path,
        EMAIL_VERIFICATION="1",
        MAIL_HOST="127.0.0.1",
        MAIL_PORT=str(mailbox.port),
    )
    with files.served("own_words:app") as url:
        token_of(url, ADA, "signup")
        mail = mailbox.next()
        assert mail["Subject"] == "Willkommen"
        code = code_in(mail.get_content().replace("=\n", ""))
        assert post(f"{url}{AUTH}/verify-email", {"code": code}).status_code == 200


# --- frontends ----------------------------------------------------------------

PAGE = """\
<!doctype html><title>recipe</title>
<script type="module">
import * as client from "/api.js";
window.client = client;
document.title = "ready";
</script>
"""
COOKIES = {"AUTH_COOKIE": "1", "COOKIE_SECURE": "0"}


def with_page(folder: Path) -> None:
    """Let ``page.py`` serve the application with the page and its module."""
    (folder / "page.html").write_text(PAGE)
    (folder / "page.py").write_text(
        "from fastapi.responses import FileResponse\n"
        "from main import app\n"
        "app.get('/page')(lambda: FileResponse('page.html'))\n"
        "app.get('/api.js')(lambda: FileResponse('js/api.js'))\n"
    )


@pytest.mark.node
@pytest.mark.chromium
def test_react_cookies(tmp_path: Path) -> None:
    """In a browser: the function that refreshes once, and no token in sight."""
    from typescript import compiled

    files = files_of("react-cookies", tmp_path, **COOKIES, REFRESH_TOKENS="1")
    compiled(tmp_path)
    with_page(tmp_path)
    with files.served("page:app") as url, chromium() as browser:
        page = open_page(browser)
        page.goto(f"{url}/page")
        page.wait_for_function("document.title == 'ready'")
        sign_up = "(user) => client.api('/api/auth/signup', user)"
        assert "token" not in page.evaluate(sign_up, ADA)["data"]
        page.evaluate("client.signIn('ada@example.com', 'correct horse battery')")
        hello = "client.api('/api/hello')"
        assert page.evaluate(hello) == {"hello": "ada@example.com"}
        assert "fastbearer" not in page.evaluate("document.cookie")
        context = page.context
        (access,) = [one for one in context.cookies() if one["name"] == "fastbearer"]
        assert access["httpOnly"]
        context.add_cookies([{**access, "value": "expired"}])
        both = f"Promise.all([{hello}, {hello}])"  # they share one refresh
        assert page.evaluate(both) == [{"hello": "ada@example.com"}] * 2
        page.evaluate("client.signOut()")
        refused = "client.api('/api/hello').catch((error) => error.message)"
        assert "hello" not in page.evaluate(refused)


SERVER = """\
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { POST } from "./js/app/notes/route.js";

createServer(async (request, response) => {
  const answer = await POST(
    new Request("http://localhost/", {
      method: "POST",
      headers: request.headers,
      body: Readable.toWeb(request),
      duplex: "half",
    }),
  );
  response.writeHead(answer.status).end(await answer.text());
}).listen(Number(process.env.PORT), "127.0.0.1");
"""
"""What Next does with a route handler, as far as it is needed here."""


@pytest.mark.node
def test_next_cookies(tmp_path: Path) -> None:
    """The route handler hands a cookie on, and refuses what another site has sent."""
    from ports import free_port
    from typescript import compiled

    files = files_of("next-cookies", tmp_path, **COOKIES)
    page, route = "app/page.tsx", "app/notes/route.ts"
    for name in (page, route, "lib/backend.ts", "next.config.ts"):
        assert (tmp_path / name).exists()
    script = (compiled(tmp_path) / route).with_suffix(".js")
    ours, nodes = "@/lib/backend", "../../lib/backend.js"
    script.write_text(script.read_text().replace(ours, nodes))
    (tmp_path / "server.mjs").write_text(SERVER)
    same_site = {"Sec-Fetch-Site": "same-origin"}
    with files.served(REQUESTS_WITHOUT_ORIGIN="allow") as url:
        signed_up = post(f"{url}{AUTH}/signup", ADA, **same_site)
        cookie = signed_up.headers["set-cookie"].partition(";")[0]
        port = str(free_port())
        node = f"http://127.0.0.1:{port}"
        with files.started("node", "server.mjs", url=node, PORT=port, BACKEND_URL=url):
            sent = {"Cookie": cookie, "content-type": "text/plain"}
            noted = http.post(node, content="a & b", headers={**sent, **same_site})
            assert (noted.status_code, noted.json()["text"]) == (201, "a & b")
            foreign = {"Sec-Fetch-Site": "cross-site"}
            refused = http.post(node, content="x", headers={**sent, **foreign})
            assert refused.status_code == 403
        hello = http.get(f"{url}/api/hello", headers={"Cookie": cookie})
        assert hello.json() == {"hello": "ada@example.com"}
    with files.served() as url:  # without the setting, Next's POST is refused
        refused = http.post(f"{url}/api/notes?text=x", headers={"Cookie": cookie})
        assert refused.status_code == 403


def test_next_better_auth(tmp_path: Path) -> None:
    """A page of Next's origin may read and write with Better Auth's cookie."""
    ours = {"Origin": "http://localhost:3000"}
    with better_auth_tables("sqlite", tmp_path) as tables:
        now = datetime.now(UTC)
        tables.sign_in(expiresAt=now + WEEK, createdAt=now, updatedAt=now)
        cookie = BetterAuth(SECRET).sign_session_token(TOKEN)
        signed_in = {"Cookie": f"better-auth.session_token={cookie}"}
        files = Files(
            recipe("next-better-auth"),
            tmp_path,
            BETTER_AUTH_URL=ours["Origin"],
            BETTER_AUTH_DATABASE_URL=tables.url,
        )
        with files.served() as url:
            notes, note = f"{url}/notes", {"text": "Tea"}
            assert post(notes, note, **ours).status_code == 401
            added = post(notes, note, **signed_in, **ours)
            assert (added.status_code, added.json()) == (201, [note])
            read = http.get(notes, headers={**signed_in, **ours})
            assert read.json() == [note]
            allowed = read.headers["access-control-allow-origin"]
            assert allowed == ours["Origin"]
            assert read.headers["access-control-allow-credentials"] == "true"
            foreign = {"Origin": "http://localhost:4000"}
            refused = post(notes, note, **signed_in, **foreign)
            assert refused.status_code == 403
            assert "access-control-allow-origin" not in refused.headers


@pytest.mark.node
def test_the_types_of_next_better_auth(tmp_path: Path) -> None:
    from typescript import compiled

    Files(recipe("next-better-auth"), tmp_path)
    assert (compiled(tmp_path) / "app" / "notes" / "notes.js").exists()


def test_websockets(tmp_path: Path) -> None:
    from websockets.exceptions import ConnectionClosed, InvalidStatus
    from websockets.sync.client import connect

    files = files_of("websockets", tmp_path)
    with files.served() as url:
        token = token_of(url, ADA, "signup")
        echo = f"{url.replace('http', 'ws')}/echo"
        with pytest.raises(InvalidStatus, match="401"):
            connect(echo, subprotocols=["bearer", "nonsense"], proxy=None)
        with connect(echo, subprotocols=["bearer", token], proxy=None) as socket_:
            socket_.send("hello")
            assert socket_.recv() == "ada@example.com: hello"
            post(f"{url}{AUTH}/signout", token=token)
            with pytest.raises(ConnectionClosed) as closed:
                socket_.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1008


def test_websockets_by_the_first_message(tmp_path: Path) -> None:
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    files = files_of("websockets", tmp_path)
    with files.served("first_message:app") as url:
        token = files.run(
            *["fastbearer", "token", "--sub", "u1", "--email", "ada@example.com"]
        ).strip()
        echo = f"{url.replace('http', 'ws')}/echo"
        with connect(echo, proxy=None) as socket_:
            socket_.send(json.dumps({"token": token}))
            socket_.send("hello")
            assert socket_.recv() == "ada@example.com: hello"
        with connect(echo, proxy=None) as socket_:
            socket_.send(json.dumps({"token": "nonsense"}))
            with pytest.raises(ConnectionClosed) as closed:
                socket_.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1008


# --- tokens -------------------------------------------------------------------


def test_two_issuers(tmp_path: Path) -> None:
    key = Key.generate("ES256", kid="1")
    files = files_of("two-issuers", tmp_path)
    staff = "https://id.example.com/realms/staff"
    for name in ("main.py", "notes.py"):
        assert (tmp_path / name).exists()
    with KeyServer(serving(key)) as keys:
        main = (tmp_path / "main.py").read_text()
        told = 'Issuer(STAFF, audience="my-api"'
        assert told in main  # its keys are on this machine here
        (tmp_path / "main.py").write_text(
            main.replace(told, f'{told}, keys="{keys.url}"')
        )
        with files.served("notes:app") as url:
            own = token_of(url, ADA, "signup")
            theirs = signed(key, staff, "my-api", "1")
            for token in (own, theirs):
                assert http.get(f"{url}/news", headers=bearer(token)).is_success
                noted = post(f"{url}/notes?text=mine", token=token)
                assert noted.json() == ["mine"]
            assert http.get(f"{url}/orders", headers=bearer(own)).is_success
            refused = http.get(f"{url}/orders", headers=bearer(theirs))
            assert refused.status_code == 401
            stranger = signed(key, f"{staff}/", "my-api", "1")
            refused = http.get(f"{url}/news", headers=bearer(stranger))
            assert refused.status_code == 401
    log = (tmp_path / "uvicorn.log").read_text()
    assert "token refused: invalid_issuer: iss_wrong (iss)" in log


def test_two_issuers_in_the_environment(tmp_path: Path) -> None:
    shell = next(
        one.code
        for one in blocks(recipe("two-issuers"))
        if "JWT_ISSUERS" in one.code and one.language == "sh"
    )
    script = (
        "from fastbearer.fastapi import Auth\n"
        "print(sorted(str(one.url) for one in Auth().verifier.issuers))\n"
    )
    files = files_of("two-issuers", tmp_path)
    printed = files.run("sh", "-euc", f"{shell}\npython -c '{script}'")
    assert "https://id.example.com/realms/staff" in printed
    assert "https://api.example.com" in printed


def signed(key: Key, issuer: str, audience: str, sub: str) -> str:
    from fastbearer import Signer

    signer = Signer(key, issuer=issuer, audience=audience, lifetime=60)
    return signer.sign({"sub": sub})


def test_rotation(tmp_path: Path) -> None:
    files = files_of("rotation", tmp_path, NEW_SECRET=OTHER_SECRET, OLD_SECRET=SECRET)
    tokens = []
    for secret in (SECRET, OTHER_SECRET):
        files.environment["BETTER_AUTH_SECRET"] = secret
        tokens.append(files.run("fastbearer", "token", "--sub", "u1").strip())
    files.environment.pop("BETTER_AUTH_SECRET")
    with files.served() as url:
        for token in tokens:
            assert http.get(f"{url}/me", headers=bearer(token)).is_success
    files.run("python", "keys.py")


def test_a_leaked_secret_is_replaced(tmp_path: Path) -> None:
    """What the page says of refresh tokens: they go on, access tokens do not."""
    files = files_of("roles", tmp_path, REFRESH_TOKENS="1")
    with files.served() as url:
        data = post(f"{url}{AUTH}/signup", ADA).json()["data"]
    with files.served(BETTER_AUTH_SECRET=OTHER_SECRET) as url:
        old = http.get(f"{url}/articles", headers=bearer(data["token"]))
        assert old.status_code == 401
        refreshed = post(
            f"{url}{AUTH}/refresh", {"refresh_token": data["refresh_token"]}
        )
        assert refreshed.status_code == 200


def test_several_services(tmp_path: Path) -> None:
    files = files_of("several-services", tmp_path)
    files.environment["SIGNING_KEY"] = files.run("python", "make_key.py")
    files.environment["SIGNING_KEY_ID"] = "2026-11"
    with files.served("accounts_service:app") as accounts:
        session = token_of(accounts, ADA, "signup")
        token = post(f"{accounts}/internal-token", token=session).json()["token"]
        told = {
            "JWKS_URL": f"{accounts}/.well-known/jwks.json",
            "JWT_ISSUER": "http://127.0.0.1:8000",
            "JWT_AUDIENCE": "internal",
            "BETTER_AUTH_SECRET": "",
        }
        with files.served("orders_service:app", **told) as orders:
            answer = http.get(f"{orders}/orders", headers=bearer(token))
            assert answer.json() == "orders of ada@example.com"
            refused = http.get(f"{orders}/orders", headers=bearer(session))
            assert refused.status_code == 401
        # With one secret for all:
        with files.served("orders_service:app") as orders:
            assert http.get(f"{orders}/orders", headers=bearer(session)).is_success


# --- running it ---------------------------------------------------------------


def test_testing(tmp_path: Path) -> None:
    """Its tests pass, and see a bug."""
    files = Files(recipe("testing"), tmp_path)
    files.environment.pop("BETTER_AUTH_SECRET")
    command = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "5 passed" in files.run(*command)
    main = tmp_path / "main.py"
    main.write_text(main.read_text().replace("user: CurrentUser", "user: dict = {}"))
    files.run(*command, is_good=False)


def nginx() -> str:
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip(NO_NGINX)
    return found


@contextmanager
def through_nginx(folder: Path, backend: str) -> Iterator[str]:
    """Run nginx with the file of the page, but for its ports and its files."""
    from ports import free_port

    port = free_port()
    config = (folder / "nginx.conf").read_text()
    for told, here in (
        ("127.0.0.1:8000", backend.removeprefix("http://")),
        ("listen 8080;", f"listen 127.0.0.1:{port};"),
        ("events {}", "events {}\ndaemon off;\nerror_log stderr;\npid nginx.pid;"),
        ("http {", "http {\naccess_log off;\n" + temporary(folder)),
    ):
        assert told in config
        config = config.replace(told, here, 1)
    (folder / "here.conf").write_text(config)
    command = [nginx(), "-p", str(folder), "-c", str(folder / "here.conf")]
    subprocess.run([*command, "-t"], check=True)
    with subprocess.Popen(command, cwd=folder) as process:
        try:
            wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def temporary(folder: Path) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "\n".join(f"{one}_temp_path {folder}/{one};" for one in kinds)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    from waiting import wait_until

    def listens() -> bool:
        assert process.poll() is None
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) == 0

    wait_until(listens)


def test_nginx(tmp_path: Path) -> None:
    """The audit log has the client's address, whatever the client says of it."""
    nginx()
    files = files_of("nginx", tmp_path, TRUSTED_PROXIES="127.0.0.1, ::1")
    from ports import free_port

    port = free_port()
    backend = f"http://127.0.0.1:{port}"
    serve = ("fastbearer", "serve", "--port", str(port))
    with (
        files.started(*serve, url=backend),
        through_nginx(tmp_path, backend) as url,
    ):
        headers = {"X-Forwarded-For": "203.0.113.7", "Forwarded": "for=203.0.113.8"}
        signed_up = post(f"{url}{AUTH}/signup", ADA, **headers)
        assert signed_up.status_code == 201
        token = signed_up.json()["data"]["token"]
        me = http.get(f"{url}{AUTH}/me", headers=bearer(token))
        assert me.json()["data"]["email"] == ADA["email"]
    log = (tmp_path / "fastbearer.log").read_text()
    assert '"signed_up"' in log
    assert "203.0.113" not in log
    assert '"address": "127.0.0.1"' in log


def test_nginx_passes_websockets_on(tmp_path: Path) -> None:
    from websockets.sync.client import connect

    nginx()
    files = files_of("websockets", tmp_path)
    main = tmp_path / "main.py"
    main.write_text(main.read_text().replace('"/echo"', '"/ws/echo"'))
    (tmp_path / "nginx.conf").write_text(
        next(one.code for one in blocks(recipe("nginx")) if one.title == "nginx.conf")
    )
    with files.served() as backend, through_nginx(tmp_path, backend) as url:
        token = token_of(url, ADA, "signup")
        echo = f"{url.replace('http', 'ws')}/ws/echo"
        with connect(echo, subprotocols=["bearer", token], proxy=None) as socket_:
            socket_.send("hello")
            assert socket_.recv() == "ada@example.com: hello"


@pytest.mark.postgres
def test_fly(tmp_path: Path) -> None:
    """The release command, then the application, with the settings of the file."""
    import tomllib

    files = files_of("fly", tmp_path)
    said = tomllib.loads((tmp_path / "fly.toml").read_text())
    path = said["http_service"]["checks"][0]["path"]
    with own_database() as database:
        files.environment |= {**said["env"], "DATABASE_URL": database}
        files.run(*said["deploy"]["release_command"].split())
        with files.served() as url:
            assert http.get(f"{url}{path}").status_code == 200
            data = post(f"{url}{AUTH}/signup", ADA).json()["data"]
            assert "refresh_token" in data
            hello = http.get(f"{url}/hello", headers=bearer(data["token"]))
            assert hello.json() == {"hello": "ada@example.com"}


@pytest.mark.postgres
def test_kubernetes(tmp_path: Path) -> None:
    """The commands of its containers with its settings, and the paths of its probes."""
    import yaml

    files = files_of("kubernetes", tmp_path)
    objects = {
        one["kind"]: one
        for one in yaml.safe_load_all((tmp_path / "app.yaml").read_text())
    }
    pod = objects["Deployment"]["spec"]["template"]["spec"]
    (app,), (migrate,) = pod["containers"], pod["initContainers"]
    with own_database() as database:
        files.environment |= {
            **objects["ConfigMap"]["data"],
            "DATABASE_URL": database,
        }
        files.run(*migrate["command"])
        with files.served(app["command"][1]) as url:
            for kind in ("startup", "liveness", "readiness"):
                path = app[f"{kind}Probe"]["httpGet"]["path"]
                assert http.get(f"{url}{path}").status_code == 200
            token_of(url, ADA, "signup")


@pytest.mark.postgres
def test_managed_postgresql(tmp_path: Path) -> None:
    files = files_of("managed-postgresql", tmp_path)
    with own_database() as database:
        url = f"{database}?sslmode=prefer&connection_limit=3"
        files.environment["DATABASE_URL"] = url
        files.run("fastbearer", "migrate")
        assert "ok     database" in files.run("fastbearer", "doctor")
        refused = {**files.environment, "DATABASE_URL": f"{database}?keepalive=1"}
        files.environment = refused
        told = files.run("fastbearer", "migrate", is_good=False)
        assert "keepalive" in told
