// An e-mail address as it is shown: it breaks before its @ and its dots, and inside a word only where nothing else helps.

import type { VNode } from "preact";

export function Address({ of }: { of: string }): VNode {
  return <>{of.split(/(?=[@.])/).flatMap((part, index) => (index === 0 ? [part] : [<wbr key={index} />, part]))}</>;
}

/** Where a mail to it is written. What stands before the @ may hold `?` and `&`, which would begin headers of that mail. */
export function mailto(address: string): string {
  const at = address.lastIndexOf("@");
  return `mailto:${encodeURIComponent(address.slice(0, at))}${address.slice(at)}`;
}
