// One connection per process, opened before the first request; every statement is one flight with its parameters.
import fs from "node:fs";
import pg from "pg";

const url = new URL(process.env.DATABASE_URL);
const encrypted = url.searchParams.get("sslmode") !== "disable";
url.search = "";
const ssl = encrypted && { ca: fs.readFileSync(process.env.DATABASE_CA) };

async function connect() {
  const client = new pg.Client({ connectionString: url.href, ssl, connectionTimeoutMillis: 3000, query_timeout: 6000 });
  client.on("error", () => {
    connection = undefined;
  });
  await client.connect();
  return client;
}

let connection;

/** Connects ahead of the first request; a failure is that request's to tell. */
export async function warmUp() {
  try {
    connection = await connect();
  } catch (error) {
    console.log(
      JSON.stringify({ timestamp: new Date(), level: "WARN", message: "no database at start", error: error.message }),
    );
  }
}

/** The rows of one statement. */
export async function rows(text, values) {
  connection ??= await connect();
  return (await connection.query(text, values)).rows;
}
