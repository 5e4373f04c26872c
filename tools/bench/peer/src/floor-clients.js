// The exchanges of an endpoint without anything that decides: as many as the query says.
import { rows, warmUp } from "./database.js";
import { send } from "./jobs.js";
import { run } from "./runtime.js";
import { stripe } from "./stripe.js";

const NOBODY = "00000000-0000-0000-0000-000000000000";

warmUp().then(() =>
  run(async ({ queryStringParameters: { selects = 0, calls = 0, messages = 0 } }) => {
    for (let n = 0; n < selects; n += 1) await rows("select 1");
    for (let n = 0; n < calls; n += 1)
      await stripe.events.list({ types: ["charge.refunded"], created: { gte: 0, lt: 1 }, limit: 100 });
    for (let n = 0; n < messages; n += 1) await send([NOBODY]);
    return { statusCode: 200, headers: { "content-type": "text/plain" }, body: "done", isBase64Encoded: false };
  }),
);
