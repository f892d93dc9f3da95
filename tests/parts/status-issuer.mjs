// An issuer whose tokens point to status lists, with everything signed by jose.
//
//   node status-issuer.mjs FOLDER-WITH-node_modules PORT
//
// GET /token?idx=7&list=1 gives an access token at this place of a list, GET /list-token the signed list itself. PUT /status
// with {idx, status} changes the list `1`. Any other list answers 500. GET /asked tells how often lists were fetched.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { deflateSync } from "node:zlib";

const [folder, port] = process.argv.slice(2);
const found = createRequire(`${folder}/`).resolve("jose");
const { SignJWT, exportJWK, generateKeyPair } = await import(pathToFileURL(found).href);

const issuer = `http://127.0.0.1:${port}`;
const { publicKey, privateKey } = await generateKeyPair("ES256");
const jwk = { ...(await exportJWK(publicKey)), kid: "status-1", alg: "ES256", use: "sig" };
const bytes = new Uint8Array(1 << 18);
let asked = 0;

const sign = (claims, typ, life) =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: "ES256", kid: jwk.kid, typ })
    .setIssuedAt()
    .setExpirationTime(life)
    .sign(privateKey);

const accessToken = (idx, list) => {
  const status = { status_list: { idx, uri: `${issuer}/lists/${list}` } };
  return sign({ iss: issuer, sub: "alice", aud: "shop-api", tenant: "acme", status }, "at+jwt", "5m");
};

// Two bits a status, the first in the lowest bits.
const listToken = (more = {}) => {
  const lst = deflateSync(bytes, { level: 9 }).toString("base64url");
  const claims = { sub: `${issuer}/lists/1`, ttl: 43200, status_list: { bits: 2, lst }, ...more };
  return sign(claims, "statuslist+jwt", "1d");
};

const put = ({ idx, status }) => {
  const shift = (idx % 4) * 2;
  bytes[idx >> 2] = (bytes[idx >> 2] & ~(3 << shift)) | (status << shift);
};

const routes = {
  "GET /.well-known/openid-configuration": () => ({ issuer, jwks_uri: `${issuer}/jwks` }),
  "GET /jwks": () => ({ keys: [jwk] }),
  "GET /asked": () => ({ asked }),
  "GET /token": async (url) =>
    ({ token: await accessToken(Number(url.searchParams.get("idx")), url.searchParams.get("list")) }),
  "GET /list-token": async () =>
    ({ token: await listToken({ iss: issuer, aud: "shop-api", tenant: "acme" }) }),
};

createServer(async (request, response) => {
  const url = new URL(request.url, issuer);
  const route = routes[`${request.method} ${url.pathname}`];
  if (route) {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(await route(url)));
  } else if (url.pathname === "/status") {
    let body = "";
    for await (const chunk of request) body += chunk;
    put(JSON.parse(body));
    response.end();
  } else if (url.pathname.startsWith("/lists/")) {
    asked += 1;
    response.setHeader("content-type", "application/statuslist+jwt");
    response.statusCode = url.pathname === "/lists/1" ? 200 : 500;
    response.end(await listToken());
  } else {
    response.statusCode = 404;
    response.end();
  }
}).listen(Number(port), "127.0.0.1");
