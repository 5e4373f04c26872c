// A picture on its way: chosen, sent straight to the store, then checked and cut to size by a function of its own.

import type { VNode } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { announceImage, readImage, sendImage } from "../api";
import { is } from "../problems";
import { t } from "../words";

const TYPES = ["image/jpeg", "image/png", "image/webp"];
const MOST = 15_000_000;
/** Seconds between two looks at a picture that is being checked. */
const LOOKS = [0.4, 0.6, 1, 1, 2, 2, 3, 3, 4, 5, 5, 5, 10, 10, 10];

export interface Chosen {
  id: string | null;
  /** Not to be saved yet. */
  busy: boolean;
}

interface Props {
  kind: "flash" | "hero";
  label: string;
  help?: string;
  /** Where the stored picture is. */
  current: string | null;
  error?: string | undefined;
  chosen: (picture: Chosen) => void;
}

type Stage = "none" | "sending" | "preparing" | "ready" | "slow";

export function PictureField({ kind, label, help, current, error, chosen }: Props): VNode {
  const id = useId();
  const [stage, setStage] = useState<Stage>("none");
  const [trouble, setTrouble] = useState("");
  const [preview, setPreview] = useState<string | null>(null);
  // A second choice makes the first one's answers meaningless.
  const turn = useRef(0);
  useEffect(() => () => void (turn.current += 1), []);

  const take = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    const mine = (turn.current += 1);
    const fail = (text: string): void => {
      if (mine !== turn.current) return;
      setStage("none");
      setTrouble(text);
      chosen({ id: null, busy: false });
    };
    setTrouble("");
    setPreview(null);
    // Android gives its HEIC no type at all; the name tells.
    if (/^image\/hei[cf]|^$/.test(file.type) && /hei[cf]$/i.test(file.type || file.name)) return fail(t.picture.heic);
    if (!TYPES.includes(file.type)) return fail(t.picture.wrongType);
    if (file.size > MOST) return fail(t.picture.tooLarge);
    setStage("sending");
    chosen({ id: null, busy: true });
    try {
      const upload = await announceImage(kind, file);
      await sendImage(upload, file);
      if (mine !== turn.current) return;
      setStage("preparing");
      for (const seconds of LOOKS) {
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
        if (mine !== turn.current) return;
        const picture = await readImage(upload.id);
        if (mine !== turn.current) return;
        if (picture.status === "refused") return fail(picture.reason ?? t.picture.refused);
        if (picture.status === "ready") {
          setStage("ready");
          setPreview(picture.image);
          return chosen({ id: upload.id, busy: false });
        }
      }
      setStage("slow");
      chosen({ id: upload.id, busy: false });
    } catch (problem) {
      const [first] = is(problem, "invalid") ? problem.errors : [];
      fail(first?.detail ?? t.picture.failed);
    }
  };

  const shown = preview ?? current;
  const words: Record<Stage, string> = {
    none: "",
    sending: t.picture.sending,
    preparing: t.picture.preparing,
    ready: t.picture.ready,
    slow: t.picture.slow,
  };
  const wrong = trouble || error;
  return (
    <div class="field picture">
      <label for={id}>{label}</label>
      <p class="help" id={`${id}-help`}>
        {help && `${help} `}
        {t.picture.help}
      </p>
      <div class="frame">
        {shown ? <img src={shown} alt="" width={160} height={160} /> : <span class="blank" aria-hidden="true" />}
        <div>
          <span class="button quiet file">
            {shown ? t.picture.change : t.picture.choose}
            <input
              type="file"
              id={id}
              data-field="image"
              accept={TYPES.join(",")}
              aria-invalid={Boolean(wrong)}
              aria-describedby={wrong ? `${id}-help ${id}-error` : `${id}-help`}
              onChange={(event) => void take(event.currentTarget.files?.[0])}
            />
          </span>
          <p class={stage === "ready" ? "said done" : "said"} role="status">
            {words[stage]}
          </p>
        </div>
      </div>
      {wrong && (
        <p class="error" id={`${id}-error`} role={trouble ? "alert" : undefined}>
          {wrong}
        </p>
      )}
    </div>
  );
}
