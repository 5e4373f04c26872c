// Jobs: rows of the outbox, written with the state they follow from; the queue carries their ids.
import { SendMessageBatchCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { randomUUID } from "node:crypto";

const sqs = new SQSClient({ region: process.env.AWS_REGION, endpoint: process.env.AWS_ENDPOINT_URL_SQS });
const QueueUrl = process.env.QUEUE_URL;
const body = (id) => JSON.stringify({ job_id: id });

/** The row of one job, wanted after `wait` milliseconds. */
export function job(args, dedupeKey, now, wait = 0) {
  return {
    id: randomUUID(),
    kind: args.kind,
    booking_id: args.booking,
    args,
    dedupe_key: dedupeKey,
    created_at: new Date(now),
    relay_at: new Date(now + wait + 30_000),
  };
}

/** The row of a mail. */
export const mail = (booking, template, occurrence, now, wait) =>
  job(
    { kind: "send_email", booking, template, occurrence },
    `send_email:${booking}:${template}:${occurrence}`,
    now,
    wait,
  );

/** The statement's part that writes the jobs `rows` of the rows `from`. */
export const insertJobs = (rows, from) => `
  insert into outbox (id, kind, booking_id, args, dedupe_key, created_at, relay_at)
  select j.id, j.kind, j.booking_id, j.args, j.dedupe_key, j.created_at, j.relay_at
  from ${from}, jsonb_to_recordset(${rows}::jsonb) as j(id uuid, kind text, booking_id uuid, args jsonb, dedupe_key text, created_at timestamptz, relay_at timestamptz)
  on conflict (dedupe_key) do nothing returning id`;

/** Sends ids to the queue, which keeps them for `DelaySeconds`; what it does not take is sent again later by others. */
export async function send(ids, DelaySeconds = 0) {
  if (!ids.length) return;
  try {
    if (ids.length === 1) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body(ids[0]), DelaySeconds }));
    else
      await sqs.send(
        new SendMessageBatchCommand({
          QueueUrl,
          Entries: ids.map((id, index) => ({ Id: String(index), MessageBody: body(id), DelaySeconds })),
        }),
      );
  } catch (error) {
    console.log(
      JSON.stringify({
        timestamp: new Date(),
        level: "WARN",
        message: "the sweeper will send these jobs",
        error: error.message,
      }),
    );
  }
}
