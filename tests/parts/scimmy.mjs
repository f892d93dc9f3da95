// SCIMMY behind Express, with a house for each realm and tenant: /r/{realm}/t/{tenant}/v2.
//
//   node scimmy.mjs FOLDER-WITH-node_modules PORT
//
// GET /asked tells the cache-control of the latest question.

import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, port] = process.argv.slice(2);
const require = createRequire(join(folder, "node_modules", "x.js"));
const express = require("express");
const { SCIMMY, SCIMMYRouters } = require("scimmy-routers");

const houses = new Map();

function house({ realm, tenant }) {
  const name = JSON.stringify([realm, tenant]);
  if (!houses.has(name)) houses.set(name, new Map());
  return houses.get(name);
}

function existing(resource, where) {
  const user = house(where).get(resource.id);
  if (!user) throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
  return user;
}

SCIMMY.Resources.declare(SCIMMY.Resources.User, {
  ingress(resource, data, where) {
    const now = new Date();
    const id = resource.id ?? data.externalId;
    const user = { ...data, id, meta: { created: now, lastModified: now } };
    house(where).set(id, user);
    return user;
  },
  egress(resource, where) {
    if (resource.id) return existing(resource, where);
    const users = [...house(where).values()];
    return resource.filter ? resource.filter.match(users) : users;
  },
  degress(resource, where) {
    existing(resource, where);
    house(where).delete(resource.id);
  },
});

let asked = "";
const app = express();
app.get("/asked", (_request, response) => response.send(asked));
app.use("/r", (request, _response, next) => {
  asked = request.get("cache-control") ?? "";
  next();
});
app.use(
  "/r/:realm/t/:tenant/v2",
  new SCIMMYRouters({ type: "bearer", handler: () => "tester", context: (request) => request.params }),
);
app.listen(Number(port), "127.0.0.1");
