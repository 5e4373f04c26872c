// An e-mail address as it is shown: it breaks before its @ and its dots, and inside a word only where nothing else helps.

import type { VNode } from "preact";

export function Address({ of }: { of: string }): VNode {
  return <>{of.split(/(?=[@.])/).flatMap((part, index) => (index === 0 ? [part] : [<wbr key={index} />, part]))}</>;
}
