// The address that bookings are mailed to: confirmed by a link, because nobody may have mails sent to somebody else.

import type { VNode } from "preact";
import { useState } from "preact/hooks";
import { followContactLink, mailContactLink } from "../api";
import { Said } from "../fields";
import { useSending } from "../form";
import { Told } from "../parts";
import type { Profile } from "../types";
import { t } from "../words";

/** What the address of this page brought from a mail. */
function tokenInAddress(): string {
  return new URL(location.href).searchParams.get("contact") ?? "";
}

/** It works once: it leaves the address before anybody reloads or shares it. */
function forgetToken(): void {
  const url = new URL(location.href);
  url.searchParams.delete("contact");
  history.replaceState(null, "", url.href);
}

export function Contact({ stored, saved }: { stored: Profile; saved: (after: Profile) => void }): VNode | null {
  const [token, setToken] = useState(tokenInAddress);
  const { saying, busy, send } = useSending();
  if (!token && !stored.email_for_now && !saying) return null;
  const follow = async (): Promise<string> => {
    try {
      saved(await followContactLink(token));
      return t.profile.emailConfirmed;
    } finally {
      forgetToken();
      setToken("");
    }
  };
  const again = async (): Promise<string> => {
    saved(await mailContactLink());
    return t.profile.emailLinkSent(stored.email);
  };
  return (
    <div class="fields">
      {token ? (
        <>
          <p>{t.profile.emailConfirmText}</p>
          <p>
            <button type="button" class="button" aria-disabled={busy} onClick={() => void send(() => ({}), follow)}>
              {busy ? t.moment : t.profile.emailConfirm}
            </button>
          </p>
        </>
      ) : (
        stored.email_for_now && (
          <p>
            <Told text={t.profile.emailWaits(stored.email, stored.email_for_now)} />{" "}
            <button type="button" class="link" aria-disabled={busy} onClick={() => void send(() => ({}), again)}>
              {busy ? t.moment : t.profile.emailLinkAgain}
            </button>
          </p>
        )
      )}
      <Said saying={saying} />
    </div>
  );
}
