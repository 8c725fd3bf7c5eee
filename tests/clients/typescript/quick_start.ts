// The README's quick start with a client that is made from the document: ask for a price, read it when it is there.
// Run as: node quick_start.js API TOKEN; prints what it got as one line of JSON.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

declare const process: { argv: string[] };

const [api, token] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: api, headers: { authorization: `Bearer ${token}` } });

const asked = await client.POST("/v1/market/refresh", {
  body: { items: [{ sku: "DD1391-100", size: "10", priority: "manual" }] },
});
if (asked.error) throw new Error(JSON.stringify(asked.error));
const item: components["schemas"]["PriceAnswer"] = asked.data.items[0];

const read = await client.GET("/v1/market/prices", { params: { query: { sku: "DD1391-100" } } });
if (read.error) throw new Error(JSON.stringify(read.error));

const refused = await client.POST("/v1/market/refresh", { body: { items: [] } });
const field = refused.error && "error" in refused.error ? refused.error.error.fields[0].field : null;

console.log(JSON.stringify({ outcome: item.outcome, asks: read.data.prices.map((one) => one.ask), field }));
