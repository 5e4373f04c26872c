// The flashes: what is on the page, what was taken off it, and the form of one.

import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { money } from "../../core/format";
import { language } from "../../core/language";
import { shelve, writeFlash } from "../api";
import { CheckField, Said, SelectField, Submit, TextField } from "../fields";
import { type Saying, cents, euros, useDraft, useSending } from "../form";
import { sentence } from "../problems";
import type { OwnFlash } from "../types";
import { lengthOf } from "../when";
import { t } from "../words";
import { type Chosen, PictureField } from "./picture";

const DECIMAL = language === "fr" ? "," : ".";

function stateOf(flash: OwnFlash): { text: string; tone: string } {
  if (flash.state === "archived") return { text: t.flashes.state.archived, tone: "off" };
  if (flash.sold) return { text: t.flashes.state.sold, tone: "good" };
  if (flash.held) return { text: t.flashes.state.held, tone: "wait" };
  return { text: t.flashes.state.available, tone: "good" };
}

export function Flashes({ stored, refresh }: { stored: readonly OwnFlash[]; refresh: () => Promise<void> }): VNode {
  /** Which one is being written: its id, "new", or none. */
  const [open, setOpen] = useState<string | null>(null);
  const [saying, say] = useState<Saying | null>(null);
  const [busy, setBusy] = useState(false);
  const said = useRef<HTMLDivElement>(null);
  const sorted = [...stored].sort(
    (a, b) => Number(a.state === "archived") - Number(b.state === "archived") || a.position - b.position,
  );

  const closed = (text: string): void => {
    setOpen(null);
    say({ good: true, text });
    said.current?.focus();
  };

  const put = async (flash: OwnFlash, how: "archive" | "restore"): Promise<void> => {
    if (busy) return;
    setBusy(true);
    say(null);
    try {
      await shelve(flash.id, how);
      await refresh();
      say({ good: true, text: how === "archive" ? t.flashes.archived(flash.title) : t.flashes.restored(flash.title) });
      said.current?.focus();
    } catch (problem) {
      say({ good: false, text: sentence(problem) });
    } finally {
      setBusy(false);
    }
  };

  const next = Math.max(0, ...stored.map((flash) => flash.position + 1));
  return (
    <>
      {open !== "new" && stored.length > 0 && (
        <p>
          <button
            type="button"
            class="button"
            onClick={() => {
              say(null);
              setOpen("new");
            }}
          >
            {t.flashes.add}
          </button>
        </p>
      )}
      {open !== "new" && stored.length === 0 && (
        <div class="nothing">
          <p class="lead">{t.flashes.empty}</p>
          <p>{t.flashes.emptyText}</p>
          <button
            type="button"
            class="button"
            onClick={() => {
              say(null);
              setOpen("new");
            }}
          >
            {t.flashes.add}
          </button>
        </div>
      )}
      {open === "new" && (
        <FlashForm
          stored={null}
          position={next}
          cancel={() => setOpen(null)}
          saved={async (flash) => {
            await refresh();
            closed(t.flashes.saved(flash.title));
          }}
        />
      )}
      <div ref={said} tabIndex={-1}>
        <Said saying={saying} />
      </div>
      <ul class="own-flashes">
        {sorted.map((flash) => (
          <li key={flash.id} class={flash.state === "archived" ? "void" : ""}>
            {open === flash.id ? (
              <FlashForm
                stored={flash}
                position={flash.position}
                cancel={() => setOpen(null)}
                saved={async (after) => {
                  await refresh();
                  closed(t.flashes.saved(after.title));
                }}
              />
            ) : (
              <>
                <img src={flash.image} alt="" width={120} height={120} loading="lazy" />
                <div>
                  <h2>{flash.title}</h2>
                  <p>
                    {money(flash.price_cents)}
                    <span class="help">
                      {" "}
                      {t.flashes.facts(lengthOf(flash.duration_minutes), money(flash.effective_deposit_cents))}
                    </span>
                  </p>
                  <p>
                    <span class={`chip ${stateOf(flash).tone}`}>{stateOf(flash).text}</span>
                  </p>
                </div>
                <div class="deeds">
                  <button
                    type="button"
                    class="link"
                    aria-label={t.flashes.editOf(flash.title)}
                    onClick={() => {
                      say(null);
                      setOpen(flash.id);
                    }}
                  >
                    {t.flashes.edit}
                  </button>
                  {flash.state === "archived" ? (
                    <button
                      type="button"
                      class="link"
                      aria-label={t.flashes.restoreOf(flash.title)}
                      aria-disabled={busy}
                      onClick={() => void put(flash, "restore")}
                    >
                      {t.flashes.restore}
                    </button>
                  ) : (
                    <button
                      type="button"
                      class="link"
                      aria-label={t.flashes.archiveOf(flash.title)}
                      aria-disabled={busy}
                      onClick={() => void put(flash, "archive")}
                    >
                      {t.flashes.archive}
                    </button>
                  )}
                </div>
              </>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

type Field = "title" | "price_cents" | "deposit_cents" | "image";

interface FormProps {
  stored: OwnFlash | null;
  position: number;
  text?: string;
  cancel?: () => void;
  saved: (flash: OwnFlash) => Promise<void> | void;
}

export function FlashForm({ stored, position, text, cancel, saved }: FormProps): VNode {
  const draft = useDraft(`flash:${stored?.id ?? "new"}`, {
    title: stored?.title ?? "",
    price_cents: stored ? euros(stored.price_cents, DECIMAL) : "",
    deposit_cents: stored?.deposit_cents != null ? euros(stored.deposit_cents, DECIMAL) : "",
    duration_minutes: String(stored?.duration_minutes ?? 120),
    repeatable: stored?.repeatable ?? false,
  });
  const { values, set } = draft;
  const { wrong, saying, busy, form, send, mend } = useSending<Field>({ "#/image_id": "image" });
  const [picture, setPicture] = useState<Chosen | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (cancel) heading.current?.focus();
  }, []);
  const price = cents(values.price_cents);
  const deposit = values.deposit_cents.trim() === "" ? null : cents(values.deposit_cents);

  const check = (): Partial<Record<Field, string>> => ({
    ...(picture?.busy ? { image: t.picture.wait } : !stored && !picture?.id ? { image: t.picture.missing } : {}),
    ...(values.title.trim().length === 0 && { title: t.flashes.titleWrong }),
    ...((price === null || price < 50) && { price_cents: t.flashes.priceWrong }),
    ...(values.deposit_cents.trim() !== "" &&
      (deposit === null || deposit < 50 || (price !== null && deposit > price)) && {
        deposit_cents: t.flashes.depositWrong,
      }),
  });

  return (
    <form
      class={cancel ? "fields boxed" : "fields"}
      noValidate
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        void send(check, async () => {
          const after = await writeFlash(stored?.id ?? null, {
            title: values.title.trim(),
            price_cents: price ?? 0,
            deposit_cents: deposit,
            duration_minutes: Number(values.duration_minutes),
            repeatable: values.repeatable,
            image_id: picture?.id ?? null,
            position,
          });
          draft.clear();
          await saved(after);
          return t.saved;
        });
      }}
    >
      {cancel && (
        <h2 tabIndex={-1} ref={heading}>
          {stored ? stored.title : t.flashes.newTitle}
        </h2>
      )}
      <PictureField
        kind="flash"
        label={t.flashes.image}
        current={stored?.image ?? null}
        error={wrong.image}
        chosen={(chosen) => {
          mend("image");
          setPicture(chosen);
        }}
      />
      <TextField
        name="title"
        label={t.flashes.title}
        most={80}
        value={values.title}
        error={wrong.title}
        set={(title) => {
          mend("title");
          set({ title });
        }}
      />
      <div class="pair">
        <TextField
          name="price_cents"
          label={t.flashes.price}
          inputmode="decimal"
          most={9}
          value={values.price_cents}
          error={wrong.price_cents}
          set={(price_cents) => {
            mend("price_cents");
            set({ price_cents });
          }}
        />
        <TextField
          name="deposit_cents"
          label={t.flashes.deposit}
          help={t.flashes.depositHelp}
          optional
          inputmode="decimal"
          most={9}
          value={values.deposit_cents}
          error={wrong.deposit_cents}
          set={(deposit_cents) => {
            mend("deposit_cents");
            set({ deposit_cents });
          }}
        />
      </div>
      <SelectField
        name="duration_minutes"
        label={t.flashes.duration}
        narrow
        value={values.duration_minutes}
        set={(duration_minutes) => set({ duration_minutes })}
        options={[30, 45, 60, 90, 120, 150, 180, 240, 300, 360, 480].map((minutes) => ({
          value: String(minutes),
          text: lengthOf(minutes),
        }))}
      />
      <CheckField
        label={t.flashes.repeatable}
        help={t.flashes.repeatableHelp}
        checked={values.repeatable}
        set={(repeatable) => set({ repeatable })}
      />
      <Submit busy={busy} saying={saying?.good ? null : saying} {...(text && { text })}>
        {cancel && (
          <button
            type="button"
            class="link"
            onClick={() => {
              draft.clear();
              cancel();
            }}
          >
            {t.cancel}
          </button>
        )}
      </Submit>
    </form>
  );
}
