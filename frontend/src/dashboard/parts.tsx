// Small parts that several views share.

import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Address } from "../core/address";
import type { Problem } from "../core/api";
import { sentence } from "./problems";
import { t } from "./words";

/** The heading of a view. It takes the focus when the view changes, so that a screen reader says where one is. */
export function Heading({
  children,
  tab,
  quiet,
}: {
  children: ComponentChildren;
  tab: string;
  quiet?: boolean;
}): VNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${tab} · InkFlow`;
  }, [tab]);
  useEffect(() => {
    if (!quiet) heading.current?.focus({ preventScroll: true });
  }, [quiet]);
  return (
    <h1 tabIndex={-1} ref={heading}>
      {children}
    </h1>
  );
}

/** While something is read, or when it cannot be. */
export function Waiting({
  problem,
  again,
  lines = 3,
}: {
  problem: Problem | null;
  again: () => Promise<void>;
  lines?: number;
}): VNode {
  if (problem) {
    return (
      <div class="trouble" role="alert">
        <p>
          {t.unread} {sentence(problem)}
        </p>
        <button type="button" class="button quiet" onClick={() => void again()}>
          {t.retry}
        </button>
      </div>
    );
  }
  return (
    <div class="ghosts" aria-busy="true">
      <p class="only-heard">{t.loading}</p>
      {Array.from({ length: lines }, (_, line) => (
        <div class="ghost" key={line} />
      ))}
    </div>
  );
}

/** A sentence with an e-mail address in it, which breaks as addresses do. */
export function Told({ text }: { text: string }): VNode {
  return (
    <>{text.split(/(\S+@\S*\w)/).map((part, index) => (index % 2 === 1 ? <Address key={index} of={part} /> : part))}</>
  );
}

/** An address that is copied with one press. */
export function CopyLink({ address, label }: { address: string; label: string }): VNode {
  const [copied, setCopied] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const copy = async (): Promise<void> => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(address);
      setCopied(true);
      setTimeout(() => setCopied(false), 4_000);
    } catch {
      // A browser that forbids it leaves the address selected, ready for the keyboard.
    }
  };
  return (
    <div class="copy">
      <input
        ref={field}
        type="text"
        readOnly
        value={address}
        aria-label={label}
        onFocus={(event) => event.currentTarget.select()}
      />
      <button type="button" class="button" onClick={() => void copy()}>
        {t.copy}
      </button>
      <p class="said" role="status">
        {copied && t.copied}
      </p>
    </div>
  );
}

export function Part({ title, children }: { title: string; children: ComponentChildren }): VNode {
  return (
    <section class="piece">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export function Facts({ facts }: { facts: readonly (readonly [string, ComponentChildren])[] }): VNode {
  return (
    <dl class="facts-list">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
