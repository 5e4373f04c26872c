// The least there can be behind a URL.
import { run } from "./runtime.js";

run(async () => ({
  statusCode: 200,
  headers: { "content-type": "text/plain" },
  body: "hello",
  isBase64Encoded: false,
}));
