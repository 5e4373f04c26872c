// The proof of work that the server asks for where very many slots are held unpaid: a second of arithmetic, and nothing for the
// person to do. Fetched when it is wanted.
//
// On the page's own thread in short slices, because under the site's policy no worker starts; SHA-256 in plain code, because
// a call of crypto.subtle for each try is ten to a hundred times as slow.

import { type Held, Problem, type Puzzle } from "../core/api";
import { language } from "../core/language";

/** Milliseconds of work between two frames; nobody looks at a page in the background. */
const SLICE = { seen: 8, hidden: 100 };

const K = new Int32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);

/** Solves what is asked for and sends the wish with it: again if the answer came too late, or others were faster meanwhile. */
export async function prove(
  problem: Problem,
  send: (proof: string) => Promise<Held>,
  checking: (text: string) => void,
): Promise<Held> {
  let asked: unknown = problem;
  for (let tries = 0; tries < 3; tries++) {
    if (!(asked instanceof Problem && asked.puzzle)) break;
    checking(said(asked.puzzle));
    try {
      return await send(await solve(asked.puzzle));
    } catch (refused) {
      asked = refused;
    }
  }
  throw asked;
}

/** What the person reads meanwhile. */
function said({ hold_minutes: minutes }: Puzzle): string {
  return language === "fr"
    ? `Vérification… Beaucoup de créneaux attendent leur paiement. Le vôtre sera gardé ${minutes} minutes.`
    : `Checking… Many slots are waiting for their payment. Yours will be kept for ${minutes} minutes.`;
}

/** The solution, as the header carries it. */
async function solve({ challenge, parts, bits }: Puzzle): Promise<string> {
  // One block: the seed, the part, the number, and the padding of 24 bytes.
  const words = new Int32Array(64);
  for (let at = 0; at < 4; at++)
    words[at] = Number.parseInt(challenge.slice(8 * at - 32, 8 * at - 24 || undefined), 16);
  words[6] = 0x80000000;
  words[15] = 192;
  const numbers: number[] = [];
  let until = performance.now() + SLICE.seen;
  for (let number = 0; numbers.length < parts; number++) {
    words[4] = numbers.length;
    words[5] = number;
    if (begin(words) >>> (32 - bits) === 0) {
      numbers.push(number);
      number = -1;
    } else if (number % 256 === 255 && performance.now() > until) {
      await new Promise((next) => setTimeout(next));
      until = performance.now() + (document.hidden ? SLICE.hidden : SLICE.seen);
    }
  }
  return `${challenge}.${numbers.join(",")}`;
}

/** The first 32 bits of SHA-256 of the block in the first 16 words; the others are for its own use. */
function begin(w: Int32Array): number {
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15]!;
    const y = w[i - 2]!;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = w[i - 16]! + s0 + w[i - 7]! + s1;
  }
  let a = 0x6a09e667;
  let b = 0xbb67ae85 | 0;
  let c = 0x3c6ef372;
  let d = 0xa54ff53a | 0;
  let e = 0x510e527f;
  let f = 0x9b05688c | 0;
  let g = 0x1f83d9ab;
  let h = 0x5be0cd19;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  return (a + 0x6a09e667) | 0;
}
