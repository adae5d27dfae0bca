/** Seeded chance. The core never draws from `Math.random`: chance is an argument, so that the same seed gives the
 *  same bytes on every machine and Node version (integer arithmetic only). */

/** Uniform in [0, 1), 32 bits of it. */
export type Random = () => number;

/** 32-bit FNV-1a over UTF-16 code units, finished by an avalanche so that near names land far apart. */
export function hash32(text: string, seed = 0): number {
  let h = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i++) {
    h ^= text.charCodeAt(i);
    h = Math.imul(h, 0x01000193);
  }
  return mix32(h);
}

/** Murmur3's finaliser: a bijection of the 32-bit integers. */
export function mix32(value: number): number {
  let h = value | 0;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0;
}

/** sfc32, seeded from a number or a name: small, fast, passes PractRand. */
export function seededRandom(seed: number | string): Random {
  const base = typeof seed === 'string' ? hash32(seed) : mix32(seed ^ Math.floor(seed / 4294967296));
  let a = mix32(base);
  let b = mix32(base + 0x9e3779b9);
  let c = mix32(base + 0x3c6ef372);
  let counter = 1;
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 4294967296;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

/** Fisher-Yates, in place. */
export function shuffle<T extends { readonly length: number; [index: number]: unknown }>(items: T, random: Random): T {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const held = items[i];
    items[i] = items[j];
    items[j] = held;
  }
  return items;
}
