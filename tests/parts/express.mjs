// A user service as one writes it with Express, whose own pages say what goes wrong.
//
//   node express.mjs FOLDER-WITH-node_modules PORT
//
// PUT /rows sets the users: a list of {realm, tenant, ...record}. GET /asked tells the cache-control
// of the latest question.

import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, port] = process.argv.slice(2);
const express = createRequire(join(folder, "node_modules", "x.js"))("express");

let rows = [];
let asked = "";
const app = express();

app.get("/asked", (_request, response) => response.send(asked));

app.use("/r", (request, _response, next) => {
  asked = request.get("cache-control") ?? "";
  next();
});

app.get("/ready", (_request, response) => response.send("ready"));

app.put("/rows", express.json(), (request, response) => {
  rows = request.body;
  response.sendStatus(204);
});

app.get("/r/:realm/t/:tenant/u/:subject", (request, response) => {
  const { realm, tenant, subject } = request.params;
  if (subject === "crash") throw new Error("as asked");
  const row = rows.find((row) => row.realm === realm && row.tenant === tenant && row.subject === subject);
  if (row) response.json(row);
  else response.status(404).json({ code: "user_not_found" });
});

app.listen(Number(port), "127.0.0.1");
