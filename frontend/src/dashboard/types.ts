// What the dashboard's API answers and takes, named: the shapes are those of its document.

import type { operations, paths } from "../api-types";

type Answer<Operation> = Operation extends { responses: infer All }
  ? {
      [Status in keyof All & (200 | 201)]: All[Status] extends { content: { "application/json": infer Body } }
        ? Body
        : never;
    }[keyof All & (200 | 201)]
  : never;

type Sent<Operation> = Operation extends { requestBody?: { content: { "application/json": infer Body } } }
  ? Body
  : never;

export type Session = Answer<paths["/api/session"]["get"]>;
export type Doors = Answer<paths["/api/session/signup"]["get"]>;
export type Profile = Answer<paths["/api/dashboard/profile"]["get"]>;
export type Rules = Answer<paths["/api/dashboard/rules"]["get"]>;
export type Opening = Answer<paths["/api/dashboard/hours"]["get"]>["hours"][number];
export type OwnFlash = Answer<paths["/api/dashboard/flashes"]["get"]>["flashes"][number];
export type Upload = Answer<paths["/api/dashboard/images"]["post"]>;
export type Picture = Answer<paths["/api/dashboard/images/{id}"]["get"]>;
export type CalendarTest = Answer<paths["/api/dashboard/calendar/test"]["post"]>;

export type Stats = Answer<paths["/api/dashboard/stats"]["get"]>;
export type Month = Stats["curve"][number];

export type Suspicious = Answer<paths["/api/dashboard/bookings/suspicious"]["get"]>;
export type Ended = Answer<paths["/api/dashboard/bookings/suspicious/end"]["post"]>;

export type Bookings = Answer<paths["/api/dashboard/bookings"]["get"]>;
export type Row = Bookings["bookings"][number];
export type Action = Row["actions"][number];
export type Todo = Row["todo"][number];
export type View = NonNullable<NonNullable<operations["listBookings"]["parameters"]["query"]>["view"]>;
export type Detail = Answer<paths["/api/dashboard/bookings/{id}"]["get"]>;
/** A row of the list, or what an action made of it. */
export type Shown = Row & Partial<Pick<Detail, "undo_until" | "cancellation" | "money">>;
export type Cancellation = NonNullable<Detail["cancellation"]>;
export type Entry = Detail["money"]["entries"][number];
export type Dispute = Detail["money"]["disputes"][number];
export type Happening = Detail["timeline"][number];
export type SentMail = Detail["mails"][number];
export type Job = Detail["jobs"][number];

/** What a form always sends, although the document lets a caller leave some of it out. */
type Filled<T, Nullable extends keyof T = never> = {
  [Key in keyof T]-?: Key extends Nullable ? Exclude<T[Key], undefined> : NonNullable<T[Key]>;
};

export type ProfileInput = Filled<Sent<paths["/api/dashboard/profile"]["put"]>, "hero_image"> & {
  address_shown: Profile["address_shown"];
};
export type PolicyInput = Filled<Sent<paths["/api/dashboard/policy"]["put"]>> & { nature: "acompte" | "arrhes" };
type GivenPolicy = Answer<paths["/api/dashboard/policy"]["get"]>;
export type Sentences = GivenPolicy["sentences"];
export type Policy = PolicyInput & {
  templates: { id: string; name_fr: string; name_en: string; policy: PolicyInput }[];
  sentences: Sentences;
};
export type TimeOff = Answer<paths["/api/dashboard/time-off"]["get"]>["time_off"][number];
export type FlashInput = Filled<Sent<paths["/api/dashboard/flashes"]["post"]>, "deposit_cents" | "image_id">;
export type Calendar = Answer<paths["/api/dashboard/calendar"]["get"]> & { create_at: "booking" | "payment" };
type SentCalendar = Sent<paths["/api/dashboard/calendar"]["put"]>;
export type CalendarInput = Filled<Omit<SentCalendar, "api_key">> & {
  api_key?: string;
  create_at: "booking" | "payment";
};
