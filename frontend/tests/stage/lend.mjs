// Runs under `dev with-site`: says where the platform is, and ends with the worker that asked for it.

const names = ["SITE_URL", "STRIPE_URL", "CALCOM_URL", "MAILS_URL", "SITE_DATABASE_URL"];
console.log(`LENT ${JSON.stringify(Object.fromEntries(names.map((name) => [name, process.env[name]])))}`);
process.stdin.resume().on("end", () => process.exit(0));
