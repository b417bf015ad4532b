// An OpenID Connect provider for tests: panva's oidc-provider, which is certified.
// ../node_providers.py documents the options. It listens on 127.0.0.1 alone, says its
// port on stdout, and ends when stdin does.

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const { clients, ...given } = JSON.parse(process.env.OPTIONS);

console.log = console.error; // nobody reads more than the port on stdout

function key(alg, kind, options) {
  const { privateKey } = generateKeyPairSync(kind, options);
  return { ...privateKey.export({ format: "jwk" }), alg, kid: alg, use: "sig" };
}

const keys = [
  key("RS256", "rsa", { modulusLength: 2048 }),
  key("ES256", "ec", { namedCurve: "P-256" }),
  key("EdDSA", "ed25519", {}),
];

// A resource is like https://api.example.com/jwt/ES256 or .../opaque.
async function resourceServer(_, resource) {
  const [format, alg] = new URL(resource).pathname.slice(1).split("/");
  return {
    scope: "tasks:read tasks:write",
    audience: resource,
    accessTokenFormat: format,
    accessTokenTTL: 600,
    ...(format === "jwt" ? { jwt: { sign: { alg: alg ?? "RS256" } } } : {}),
  };
}

function provider(issuer) {
  return new Provider(issuer, {
    clients,
    jwks: { keys },
    scopes: ["openid", "offline_access", "tasks:read", "tasks:write"],
    enabledJWA: {
      clientAuthSigningAlgValues: ["RS256", "PS256", "ES256", "EdDSA"],
    },
    clientAuthMethods: ["client_secret_basic", "client_secret_post", "private_key_jwt"],
    findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true },
      introspection: { enabled: true, allowedPolicy: async () => true },
      resourceIndicators: { enabled: true, getResourceServerInfo: resourceServer },
      revocation: { enabled: true, allowedPolicy: async () => true },
    },
    ...given,
  });
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts));
}

// Issues a token of a user as the end of an authorization does: the pages in between
// are for browsers.
async function issue(oidc, { kind = "AccessToken", account, client, scope, resource, jkt }) {
  const clientId = client;
  const grant = new oidc.Grant({ accountId: account, clientId });
  if (resource) grant.addResourceScope(resource, scope ?? "");
  else grant.addOIDCScope(scope ?? "");
  const grantId = await grant.save();
  const found = await oidc.Client.find(clientId);
  const token = new oidc[kind]({
    accountId: account,
    client: found,
    grantId,
    gty: "authorization_code",
    scope,
  });
  if (resource && kind === "AccessToken") {
    const server = await resourceServer(undefined, resource);
    token.resourceServer = new oidc.ResourceServer(resource, server);
  }
  if (jkt) token.jkt = jkt;
  return { token: await token.save() };
}

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const origin = `http://127.0.0.1:${server.address().port}`;
  const oidc = provider(origin);
  const handle = oidc.callback();
  server.on("request", async (request, response) => {
    if (request.url !== "/test/tokens") return handle(request, response);
    try {
      const issued = await issue(oidc, await bodyOf(request));
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(issued));
    } catch (error) {
      response.writeHead(500).end(String(error.stack));
    }
  });
  process.stdout.write(`${JSON.stringify({ listening: origin })}\n`);
});
process.stdin.on("end", () => process.exit()).resume();
