// Requests in, answers out: JSON, problems (RFC 9457), one log line each.
import { run } from "./runtime.js";

const site = process.env.PUBLIC_URL;

/** A refusal with its status and its stable name. */
export class Refusal extends Error {
  constructor(status, slug, title, more = {}) {
    super(title);
    Object.assign(this, { status, slug, title, more });
  }
}

/** The text of a request's body. */
export const bodyOf = (event) =>
  event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : (event.body ?? "");

/** Serves `handler`, which gives a status and a value. */
export function serve(method, handler) {
  return run(async (event, id) => {
    const begun = process.hrtime.bigint();
    const { method: asked, path } = event.requestContext.http;
    let status;
    let body;
    let type = "application/json";
    try {
      if (asked !== method) throw new Refusal(405, "method-not-allowed", "This method is not allowed here");
      [status, body] = await handler(event);
    } catch (error) {
      const refusal =
        error instanceof Refusal ? error : new Refusal(500, "internal", "Something went wrong on our side");
      status = refusal.status;
      type = "application/problem+json";
      body = {
        type: `${site}/problems#${refusal.slug}`,
        title: refusal.title,
        status,
        instance: `urn:uuid:${id}`,
        ...refusal.more,
      };
      console.log(
        JSON.stringify({ timestamp: new Date(), level: status < 500 ? "INFO" : "ERROR", error: error.message }),
      );
    }
    console.log(
      JSON.stringify({
        timestamp: new Date(),
        level: "INFO",
        message: "answered",
        "request.id": id,
        method: asked,
        path,
        status,
        duration_ms: Number((process.hrtime.bigint() - begun) / 1_000_000n),
      }),
    );
    return {
      statusCode: status,
      headers: {
        "content-type": type,
        "x-request-id": id,
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
      },
      body: JSON.stringify(body),
      isBase64Encoded: false,
    };
  });
}
