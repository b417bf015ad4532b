// A Better Auth server for tests. ../better_auth_server.py copies it beside its
// packages, starts it, and documents the options. It listens on 127.0.0.1 alone, says
// its port on stdout, and ends when stdin does.

import { createServer } from "node:http";
import { redisStorage } from "@better-auth/redis-storage";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { getAuthTables } from "better-auth/db";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import * as plugins from "better-auth/plugins";
import { Redis } from "ioredis";
import pg from "pg";

const HEADERS_MAX = 1 << 20; // session data may be long; Node alone takes 16 KiB
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const {
  databaseURL,
  redisURL,
  redisPrefix,
  plugins: named,
  port,
  ...given
} = JSON.parse(process.env.BETTER_AUTH_OPTIONS);

console.log = console.error; // nobody reads more than the port on stdout

// What would have been sent by e-mail or text message.
const sent = [];
const sends = (kind) => async (message) => void sent.push({ kind, ...message });

function merged(options, more) {
  const all = { ...options };
  for (const [name, value] of Object.entries(more)) {
    const isObject = value !== null && value.constructor === Object;
    all[name] = isObject ? merged(options[name] ?? {}, value) : value;
  }
  return all;
}

function pluginOf(name, options) {
  const made = name === "twoFactor" ? { otpOptions: { sendOTP: sends("otp") } } : {};
  return plugins[name](merged(made, options));
}

function storages(options) {
  if (redisURL) {
    const client = new Redis(redisURL);
    options.secondaryStorage = redisStorage({ client, keyPrefix: redisPrefix });
  }
  if (databaseURL) {
    options.database = new pg.Pool({ connectionString: databaseURL });
  } else {
    const tables = Object.values(getAuthTables(options));
    options.database = memoryAdapter(
      Object.fromEntries(tables.map(({ modelName }) => [modelName, []])),
    );
  }
  return options;
}

function optionsAt(origin) {
  const usual = {
    baseURL: origin,
    emailAndPassword: { enabled: true, sendResetPassword: sends("reset") },
    emailVerification: { sendVerificationEmail: sends("verification") },
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
  };
  const options = merged(usual, given);
  options.plugins = Object.entries(named).map((entry) => pluginOf(...entry));
  return storages(options);
}

function equals(wanted) {
  return Object.entries(wanted).map(([field, value]) => ({ field, value }));
}

// Reads and writes rows as Better Auth's own adapter does, whatever the database.
async function table(auth, { action, model, where = {}, data }) {
  const { adapter } = await auth.$context;
  const which = { model, where: equals(where) };
  switch (action) {
    case "rows":
      return adapter.findMany(which);
    case "insert":
      return adapter.create({ model, data, forceAllowId: true });
    case "update":
      return adapter.update({ ...which, update: data });
    case "delete":
      return adapter.deleteMany(which);
  }
}

function revived(_, value) {
  return typeof value === "string" && DATE.test(value) ? new Date(value) : value;
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts), revived);
}

async function answerTests(auth, request, response) {
  try {
    const isMail = request.url === "/test/sent";
    const answer = isMail ? sent : await table(auth, await bodyOf(request));
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? null));
  } catch (error) {
    response.writeHead(500).end(String(error.stack));
  }
}

async function start(origin) {
  const options = optionsAt(origin);
  if (databaseURL) await (await getMigrations(options)).runMigrations();
  const auth = betterAuth(options);
  await auth.$context;
  return auth;
}

const server = createServer({ maxHeaderSize: HEADERS_MAX });
server.listen(port ?? 0, "127.0.0.1", async () => {
  const origin = `http://127.0.0.1:${server.address().port}`;
  const auth = await start(origin);
  const handle = toNodeHandler(auth);
  server.on("request", (request, response) =>
    request.url.startsWith("/test/")
      ? answerTests(auth, request, response)
      : handle(request, response),
  );
  const said = { listening: origin, baseURL: auth.options.baseURL };
  process.stdout.write(`${JSON.stringify(said)}\n`);
});
process.stdin.on("end", () => process.exit()).resume();
