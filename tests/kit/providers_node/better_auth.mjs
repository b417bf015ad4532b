// A Better Auth server with plugins that have packages of their own, for tests.
// ../node_providers.py documents the options. It listens on 127.0.0.1 alone, says its
// port on stdout, and ends when stdin does.

import { createServer } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { apiKey } from "@better-auth/api-key";
import { oauthProvider } from "@better-auth/oauth-provider";
import { redisStorage } from "@better-auth/redis-storage";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { jwt } from "better-auth/plugins";
import { Redis } from "ioredis";
import pg from "pg";

const { database, redisURL, plugins, ...given } = JSON.parse(process.env.OPTIONS);
const PLUGINS = { apiKey, oauthProvider, jwt };

console.log = console.error; // nobody reads more than the port on stdout

function optionsAt(origin) {
  const options = {
    baseURL: origin,
    emailAndPassword: { enabled: true },
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
    ...given,
    plugins: Object.entries(plugins).map(([name, own]) => PLUGINS[name](own)),
  };
  options.database = database.startsWith("postgresql:")
    ? new pg.Pool({ connectionString: database })
    : new DatabaseSync(database);
  if (redisURL) {
    options.secondaryStorage = redisStorage({ client: new Redis(redisURL) });
  }
  return options;
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts));
}

// Calls an endpoint as code on the server does, which may set what clients may not.
async function call(auth, { method, body, headers }) {
  try {
    const sent = headers ? { body, headers: new Headers(headers) } : { body };
    return { value: (await auth.api[method](sent)) ?? null };
  } catch (error) {
    return { error: error.body ?? String(error.stack), status: error.statusCode };
  }
}

const server = createServer();
server.listen(0, "127.0.0.1", async () => {
  const origin = `http://127.0.0.1:${server.address().port}`;
  const options = optionsAt(origin);
  await (await getMigrations(options)).runMigrations();
  const auth = betterAuth(options);
  const handle = toNodeHandler(auth);
  server.on("request", async (request, response) => {
    if (request.url !== "/test/call") return handle(request, response);
    const answer = await call(auth, await bodyOf(request));
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer));
  });
  process.stdout.write(`${JSON.stringify({ listening: origin })}\n`);
});
process.stdin.on("end", () => process.exit()).resume();
