// Who is there? By password, by a link in a mail, or for the first time. Also when a session ends in the middle of work.

import type { VNode } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Problem } from "../core/api";
import { mailLink, readDoors, signIn, signUp } from "./api";
import { CheckField, Said, TextField } from "./fields";
import { useSending } from "./form";
import { Heading, Told } from "./parts";
import { is, sentence } from "./problems";
import type { Doors, Session } from "./types";
import { t } from "./words";

interface Props {
  /** What went wrong before this was shown. */
  trouble?: string;
  entered: (session: Session) => void;
}

type Field = "email" | "password";

function isAddress(text: string): boolean {
  return /^[^\s@]+@[^\s@]+\.[^\s@]{2,}$/.test(text.trim());
}

export function SignInPage({ trouble, entered }: Props): VNode {
  const [fresh, setFresh] = useState(false);
  const [doors, setDoors] = useState<Doors["sign_up"]>("closed");
  useEffect(() => {
    // Where it is not known, nobody is led to a door that may be shut.
    readDoors().then(
      ({ sign_up }) => setDoors(sign_up),
      () => null,
    );
  }, []);
  return (
    <main class="gate">
      <header>
        <p class="mark">InkFlow</p>
        <Heading key={String(fresh)} quiet={!fresh} tab={fresh ? t.sign.createTitle : t.sign.enter}>
          {fresh ? t.sign.createTitle : t.sign.title}
        </Heading>
        <p class="lead">{fresh ? (doors === "invited" ? t.sign.createInvited : t.sign.createLead) : t.sign.lead}</p>
      </header>
      {trouble && (
        <p class="alert" role="alert">
          {trouble}
        </p>
      )}
      {fresh ? <SignUpForm entered={entered} /> : <SignInForm entered={entered} />}
      {doors !== "closed" && (
        <p class="swap">
          {fresh ? t.sign.hasAccount : t.sign.noAccount}{" "}
          <button type="button" class="link" onClick={() => setFresh(!fresh)}>
            {fresh ? t.sign.toSignIn : t.sign.create}
          </button>
        </p>
      )}
    </main>
  );
}

interface Credentials {
  email: string;
  setEmail: (email: string) => void;
  password: string;
  setPassword: (password: string) => void;
  /** The account is new: the browser offers a password of its own, and the page says what one must have. */
  fresh?: boolean;
  wrong: Partial<Record<Field, string>>;
  mend: (field: Field) => void;
}

function CredentialFields({ email, setEmail, password, setPassword, fresh = false, wrong, mend }: Credentials): VNode {
  const [shown, setShown] = useState(false);
  return (
    <>
      <TextField
        name="email"
        type="email"
        label={t.sign.email}
        autocomplete="username"
        most={254}
        value={email}
        error={wrong.email}
        set={(value) => {
          mend("email");
          setEmail(value);
        }}
      />
      <TextField
        name="password"
        type={shown ? "text" : "password"}
        label={t.sign.password}
        help={fresh ? t.sign.passwordHelp : undefined}
        autocomplete={fresh ? "new-password" : "current-password"}
        most={200}
        spellcheck={false}
        value={password}
        error={wrong.password}
        set={(value) => {
          mend("password");
          setPassword(value);
        }}
      />
      <CheckField label={t.sign.show} checked={shown} set={setShown} />
    </>
  );
}

export function SignInForm({ entered, known = "" }: { entered: (session: Session) => void; known?: string }): VNode {
  const [email, setEmail] = useState(known);
  const [password, setPassword] = useState("");
  const { wrong, saying, busy, form, send, say, mend } = useSending<Field>();
  const [linking, setLinking] = useState(false);

  const enter = (event: Event): void => {
    event.preventDefault();
    void send(
      () => ({
        ...(!isAddress(email) && { email: t.sign.emailWrong }),
        ...(!password && { password: t.sign.passwordMissing }),
      }),
      async () => {
        entered(await signIn(email.trim(), password));
        return "";
      },
    );
  };

  const link = async (): Promise<void> => {
    if (linking) return;
    if (!isAddress(email))
      return send(
        () => ({ email: t.sign.emailWrong }),
        async () => "",
      );
    setLinking(true);
    try {
      await mailLink(email.trim());
      say({ good: true, text: t.sign.linkSent });
    } catch (problem) {
      say({ good: false, text: sentence(problem) });
    } finally {
      setLinking(false);
    }
  };

  return (
    <form class="fields" noValidate ref={form} onSubmit={enter}>
      <CredentialFields {...{ email, setEmail, password, setPassword, wrong, mend }} />
      <Said saying={saying?.text ? saying : null} />
      <button type="submit" class="button" aria-disabled={busy}>
        {busy ? t.sign.entering : t.sign.enter}
      </button>
      <button type="button" class="button quiet" aria-disabled={linking} onClick={() => void link()}>
        {linking ? t.moment : t.sign.link}
      </button>
    </form>
  );
}

function SignUpForm({ entered }: { entered: (session: Session) => void }): VNode {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  /** The mail is on its way: what is left to do is to wait for it, to have it again, or to correct the address. */
  const [sent, setSent] = useState(false);
  const { wrong, saying, busy, form, send, say, mend } = useSending<Field>();

  const create = (event: Event): void => {
    event.preventDefault();
    void send(
      () => ({
        ...(!isAddress(email) && { email: t.sign.emailWrong }),
        ...(password.length < 8 && { password: t.sign.passwordShort }),
      }),
      async () => {
        try {
          const made = await signUp(email.trim(), password);
          if ("confirmation_required" in made) {
            setSent(true);
            return t.sign.confirm;
          }
          entered(made);
          return "";
        } catch (problem) {
          // It never says whether the address is known: that is nobody's business but its owner's.
          if (is(problem, "wrong-credentials") || is(problem, "unauthenticated")) throw new Problem("sign-up-refused");
          throw problem;
        }
      },
    );
  };

  return (
    <form class="fields" noValidate ref={form} onSubmit={create}>
      {sent ? (
        <p>
          <Told text={t.sign.sentTo(email.trim())} />
        </p>
      ) : (
        <CredentialFields {...{ email, setEmail, password, setPassword, wrong, mend }} fresh />
      )}
      <Said saying={saying?.text ? saying : null} />
      <button type="submit" class="button" aria-disabled={busy}>
        {busy ? (sent ? t.moment : t.sign.creating) : sent ? t.sign.sendAgain : t.sign.create}
      </button>
      {sent && (
        <button
          type="button"
          class="button quiet"
          onClick={() => {
            setSent(false);
            say(null);
          }}
        >
          {t.sign.otherAddress}
        </button>
      )}
    </form>
  );
}

/** A link from a mail. */
export interface Link {
  token: string;
  /** It confirms the address of a new account. */
  fresh: boolean;
}

interface LinkProps {
  link: Link;
  /** Who is signed in already. */
  present: string | null;
  enter: (link: Link, replace: boolean) => Promise<void>;
  stay: () => void;
}

/**
 * What a link shows before it is used. It works once and lets in whoever uses it, so it wants a press: programs that look
 * through mails open what they find, and somebody else's link must not change whose work this is without a word.
 */
export function LinkPage({ link, present, enter, stay }: LinkProps): VNode {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState("");
  const use = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    setTrouble("");
    try {
      await enter(link, present !== null);
    } catch (problem) {
      setTrouble(sentence(problem));
      setBusy(false);
    }
  };
  return (
    <main class="gate">
      <header>
        <p class="mark">InkFlow</p>
        <Heading tab={t.sign.enter}>{link.fresh ? t.sign.linkFreshTitle : t.sign.linkTitle}</Heading>
        <p class="lead">
          {present ? <Told text={t.sign.linkOther(present)} /> : link.fresh ? t.sign.linkFreshLead : t.sign.linkLead}
        </p>
      </header>
      {trouble && (
        <p class="alert" role="alert">
          {trouble}
        </p>
      )}
      <div class="fields">
        <button type="button" class="button" aria-disabled={busy} onClick={() => void use()}>
          {busy ? t.sign.entering : present ? t.sign.linkReplace : t.sign.linkEnter}
        </button>
        {present && (
          <button type="button" class="button quiet" onClick={stay}>
            {t.sign.linkStay}
          </button>
        )}
      </div>
    </main>
  );
}

/** Signed out here, while the service that knows the accounts has not heard of it. */
export function SignOutPage({ again }: { again: () => Promise<void> }): VNode {
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);
  const press = async (): Promise<void> => {
    if (busy) return;
    setBusy(true);
    setTrouble("");
    try {
      await again();
    } catch (problem) {
      setTrouble(sentence(problem));
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="gate">
      <header>
        <p class="mark">InkFlow</p>
        <Heading tab={t.sign.out}>{t.sign.outTitle}</Heading>
        <p class="lead">{t.sign.outLead}</p>
      </header>
      {trouble && (
        <p class="alert" role="alert">
          {trouble}
        </p>
      )}
      <button type="button" class="button" aria-disabled={busy} onClick={() => void press()}>
        {busy ? t.moment : t.sign.outAgain}
      </button>
    </main>
  );
}

/** Over the work that was interrupted, which stays as it is underneath. */
export function SignInAgain({ email, entered }: { email: string; entered: (session: Session) => void }): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    element?.querySelector("h2")?.focus();
  }, []);
  return (
    <dialog class="ask" ref={dialog} aria-labelledby="again-title" onCancel={(event) => event.preventDefault()}>
      <div class="again">
        <h2 id="again-title" tabIndex={-1}>
          {t.sign.again}
        </h2>
        <p>{t.sign.againLead}</p>
        <SignInForm
          known={email}
          entered={(session) => {
            // Closed before it goes, so that the focus returns to the interrupted work.
            dialog.current?.close();
            entered(session);
          }}
        />
      </div>
    </dialog>
  );
}
