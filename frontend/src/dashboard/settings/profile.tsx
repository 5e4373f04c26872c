// Who the artist is and where their page lies; in short for those who begin.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { language } from "../../core/language";
import { write } from "../api";
import { CheckField, RadioField, SelectField, Submit, TextField } from "../fields";
import { useDraft, useSending } from "../form";
import type { Profile, ProfileInput } from "../types";
import { t } from "../words";
import { PictureField, type Chosen } from "./picture";

type Field = "display_name" | "slug" | "email" | "bio" | "city" | "address" | "image";

export function isAddress(text: string): boolean {
  return /^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/.test(text.trim());
}

/** An address for a name: "Léa Marchetti" is "lea-marchetti". */
export function slugOf(name: string): string {
  return name
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/œ/g, "oe")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60)
    .replace(/-+$/, "");
}

function zones(): string[] {
  // Older browsers list none; then the stored one is the only choice.
  return typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];
}

function mistakes(values: ProfileInput, brief: boolean): Partial<Record<Field, string>> {
  return {
    ...(values.display_name.trim().length < 2 && { display_name: t.profile.nameWrong }),
    ...(!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(values.slug.trim()) && { slug: t.profile.slugWrong }),
    ...(!isAddress(values.email) && { email: t.sign.emailWrong }),
    ...(brief && !values.city.trim() && { city: t.profile.cityWrong }),
    ...(brief && !values.address.trim() && { address: t.profile.addressWrong }),
    ...(!brief && values.bio.length > 600 && { bio: t.profile.bioWrong }),
  };
}

/** What is sent: what the API gave on top of what it takes stays here. */
function inputOf(values: ProfileInput, hero: string | null): ProfileInput {
  const { slug, display_name, email, bio, city, address, address_shown, locale, timezone, pending_mails } = values;
  return {
    slug: slug.trim(),
    display_name: display_name.trim(),
    email: email.trim(),
    bio: bio.trim(),
    city: city.trim(),
    address: address.trim(),
    address_shown,
    locale,
    timezone,
    hero_image: hero,
    pending_mails,
  };
}

export function ProfileForm({ stored, saved }: { stored: Profile; saved: (after: Profile) => void }): VNode {
  const { values, set, clear, dirty } = useDraft<ProfileInput>("profile", stored);
  const { wrong, suggestions, saying, busy, form, send, mend } = useSending<Field>({ "#/hero_image": "image" });
  const [hero, setHero] = useState<Chosen | null>(null);
  const text = (name: keyof ProfileInput & Field) => ({
    name,
    value: values[name] ?? "",
    error: wrong[name],
    set: (value: string) => {
      mend(name);
      set({ [name]: value });
    },
  });
  return (
    <form
      class="fields"
      noValidate
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        void send(
          () => ({ ...mistakes(values, false), ...(hero?.busy && { image: t.picture.wait }) }),
          async () => {
            const after = await write<Profile>("profile", inputOf(values, hero?.id ?? stored.hero_image));
            clear();
            setHero(null);
            saved(after);
            return t.saved;
          },
        );
      }}
    >
      <TextField {...text("display_name")} label={t.profile.name} most={80} autocomplete="name" />
      <TextField
        {...text("slug")}
        label={t.profile.slug}
        help={t.profile.slugHelp(`${location.host}/artist/${values.slug}`)}
        most={60}
        spellcheck={false}
      />
      <Suggestions
        slugs={suggestions}
        take={(slug) => {
          mend("slug");
          set({ slug });
        }}
      />
      {values.slug.trim() !== stored.slug && <p class="alert">{t.profile.slugWarn}</p>}
      <TextField
        {...text("email")}
        type="email"
        label={t.profile.email}
        help={t.profile.emailHelp}
        most={254}
        autocomplete="email"
      />
      <CheckField
        label={t.profile.pendingMails}
        help={t.profile.pendingMailsHelp}
        checked={values.pending_mails}
        set={(pending_mails) => set({ pending_mails })}
      />
      <TextField {...text("bio")} label={t.profile.bio} help={t.profile.bioHelp} lines={4} most={600} optional />
      <TextField {...text("city")} label={t.profile.city} most={80} optional autocomplete="address-level2" />
      <TextField
        {...text("address")}
        label={t.profile.address}
        help={t.profile.addressHelp}
        most={200}
        optional
        autocomplete="street-address"
      />
      <RadioField
        legend={t.profile.addressShown}
        value={values.address_shown}
        set={(address_shown) => set({ address_shown })}
        options={(["after_payment", "with_summary", "public"] as const).map((value) => ({
          value,
          ...t.profile.addressShownOptions[value],
        }))}
      />
      {stored.has_calendar && values.address_shown !== "public" && <p class="help">{t.profile.addressCalendar}</p>}
      <PictureField
        kind="hero"
        label={t.profile.hero}
        help={t.profile.heroHelp}
        current={stored.hero}
        error={wrong.image}
        chosen={(picture) => {
          mend("image");
          setHero(picture);
        }}
      />
      <SelectField
        name="locale"
        label={t.profile.locale}
        value={values.locale}
        set={(locale) => set({ locale })}
        options={[
          { value: "fr", text: t.profile.locales.fr },
          { value: "en", text: t.profile.locales.en },
        ]}
      />
      <SelectField
        name="timezone"
        label={t.profile.timezone}
        value={values.timezone}
        set={(timezone) => set({ timezone })}
        options={zones().map((zone) => ({ value: zone, text: zone.replaceAll("_", " ") }))}
      />
      <Submit busy={busy} saying={saying} dirty={dirty || hero?.id != null} />
    </form>
  );
}

/** Addresses that are free, where the wanted one is not. */
function Suggestions({ slugs, take }: { slugs: readonly string[]; take: (slug: string) => void }): VNode | null {
  if (slugs.length === 0) return null;
  return (
    <p class="templates">
      <span>{t.profile.slugFree}</span>
      {slugs.map((slug) => (
        <button type="button" class="link" key={slug} onClick={() => take(slug)}>
          {slug}
        </button>
      ))}
    </p>
  );
}

/** The least that makes a page. The address follows the name until somebody writes one. */
export function FirstProfileForm({ email, saved }: { email: string; saved: (after: Profile) => void }): VNode {
  const empty: ProfileInput = {
    slug: "",
    display_name: "",
    email,
    bio: "",
    city: "",
    address: "",
    address_shown: "after_payment",
    locale: language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone || "Europe/Paris",
    hero_image: null,
    pending_mails: false,
  };
  const { values, set, clear } = useDraft<ProfileInput>("first-profile", empty);
  const { wrong, suggestions, saying, busy, form, send, mend } = useSending<Field>();
  const own = values.slug !== "" && values.slug !== slugOf(values.display_name);
  return (
    <form
      class="fields"
      noValidate
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        void send(
          () => mistakes(values, true),
          async () => {
            const after = await write<Profile>("profile", inputOf(values, null));
            clear();
            saved(after);
            return t.saved;
          },
        );
      }}
    >
      <TextField
        name="display_name"
        label={t.profile.name}
        most={80}
        autocomplete="name"
        value={values.display_name}
        error={wrong.display_name}
        set={(display_name) => {
          mend("display_name");
          mend("slug");
          set({ display_name, ...(!own && { slug: slugOf(display_name) }) });
        }}
      />
      <TextField
        name="slug"
        label={t.profile.slug}
        help={t.profile.slugHelp(`${location.host}/artist/${values.slug || "…"}`)}
        most={60}
        spellcheck={false}
        value={values.slug}
        error={wrong.slug}
        set={(slug) => {
          mend("slug");
          set({ slug });
        }}
      />
      <Suggestions
        slugs={suggestions}
        take={(slug) => {
          mend("slug");
          set({ slug });
        }}
      />
      <TextField
        name="city"
        label={t.profile.city}
        most={80}
        autocomplete="address-level2"
        value={values.city}
        error={wrong.city}
        set={(city) => {
          mend("city");
          set({ city });
        }}
      />
      <TextField
        name="address"
        label={t.profile.address}
        help={t.profile.addressHelp}
        most={200}
        autocomplete="street-address"
        value={values.address}
        error={wrong.address}
        set={(address) => {
          mend("address");
          set({ address });
        }}
      />
      <TextField
        name="email"
        type="email"
        label={t.profile.email}
        help={t.profile.emailHelp}
        most={254}
        autocomplete="email"
        value={values.email}
        error={wrong.email}
        set={(address) => {
          mend("email");
          set({ email: address });
        }}
      />
      <Submit busy={busy} saying={saying?.good ? null : saying} text={t.start.pageNext} />
    </form>
  );
}
