// A client with oauth4webapi, told what to do by lines of JSON: see dpop_client.py.
import { createInterface } from "node:readline";
import * as oauth from "oauth4webapi";

const client = { client_id: "test" };
const handles = [];

async function key({ alg }) {
  const pair = await oauth.generateKeyPair(alg);
  const handle = oauth.DPoP(client, pair);
  handles.push(handle);
  return { jkt: await handle.calculateThumbprint(), number: handles.length - 1 };
}

async function ask({ url, method, token, number }) {
  const request = () =>
    oauth.protectedResourceRequest(token, method, new URL(url), undefined, undefined, {
      DPoP: number === undefined ? undefined : handles[number],
      [oauth.allowInsecureRequests]: true,
    });
  let times = 1;
  let response;
  try {
    try {
      response = await request();
    } catch (error) {
      if (!oauth.isDPoPNonceError(error)) throw error;
      times += 1;
      response = await request();
    }
  } catch (error) {
    if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error;
    return { status: error.status, times, challenges: error.cause };
  }
  return { status: response.status, times, body: await response.json() };
}

const does = { key, ask };
for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...options } = JSON.parse(line);
  console.log(JSON.stringify(await does[command](options)));
}
