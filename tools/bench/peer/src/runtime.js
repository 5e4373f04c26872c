// The loop of Lambda's runtime API, as short as it can be: Amazon's own does the same with more around it.
import http from "node:http";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const request = http.request(
      { agent, host, port, method, path: `/2018-06-01/runtime/${path}`, headers },
      (answer) => {
        const chunks = [];
        answer.on("data", (chunk) => chunks.push(chunk));
        answer.on("end", () => resolve({ headers: answer.headers, body: Buffer.concat(chunks).toString() }));
        answer.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

/** Hands each event to `handler` and its answer back, for ever. */
export async function run(handler) {
  for (;;) {
    const event = await call("GET", "invocation/next");
    const id = event.headers["lambda-runtime-aws-request-id"];
    try {
      await call("POST", `invocation/${id}/response`, JSON.stringify(await handler(JSON.parse(event.body), id)));
    } catch (error) {
      await call(
        "POST",
        `invocation/${id}/error`,
        JSON.stringify({ errorType: error.name, errorMessage: error.message }),
      );
    }
  }
}
