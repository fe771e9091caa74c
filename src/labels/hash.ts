/**
 * Hashes label sets for `table.ts`. Hashing every character of a string that was just made costs more than the rest of a
 * look-up, so only a few characters of each text are read at first. A table asks for more of a label's characters when
 * its texts turn out to be too similar, or were chosen to collide.
 */

/** How many characters of a label's text are hashed: the last two, six, or all. */
export const SOME = 0;
export const SIX = 1;
export const ALL = 2;

/**
 * The depths of all labels in one number, two bits for each label. From `SHARED` on, labels share theirs. 0 stands for two
 * characters of every label, the usual case.
 */
export type Depths = number;
const SHARED = 15;

/** Unknown to the authors of label values, so that they cannot choose values that collide at depth `ALL`. */
const SEED = randomInteger();
const FACTOR = randomInteger() | 1;

/** The hash of no label. */
export const START = SEED;

/** The position of a label's depth within `Depths`. */
export function shiftOf(label: number): number {
  return 2 * Math.min(label, SHARED);
}

/** All labels at this depth. */
export function everyLabel(depth: number): Depths {
  return Math.imul(depth, 0x55555555);
}

/** Adds a label's characters to the hash of those before. The rotation brings the bits that depend on all others down. */
export function mix(hash: number, characters: number): number {
  const mixed = Math.imul(hash ^ characters, 0x85ebca6b);
  return (mixed << 13) | (mixed >>> 19);
}

/** Folds the upper bits of a finished hash into the low ones, which a table uses. */
export function finish(hash: number): number {
  return hash ^ (hash >>> 15);
}

/** The length and the last two characters. */
export function lastTwo(text: string): number {
  const { length } = text;
  if (length === 0) return 0;
  const last = length - 1;
  // Index 0 if there is one character: reading beyond a string is slow.
  const before = (last - 1) & ~((last - 1) >> 31);
  return text.charCodeAt(last) + (text.charCodeAt(before) << 8) + (length << 16);
}

/** The length, the last four characters, and two further ahead. */
export function six(text: string): number {
  const { length } = text;
  if (length < 4) return lastTwo(text);
  const ahead = text.charCodeAt(length >> 1) + (text.charCodeAt(length >> 2) << 8);
  const last = text.charCodeAt(length - 3) + (text.charCodeAt(length - 4) << 8);
  return mix(lastTwo(text), last + (ahead << 16));
}

/** All characters. */
export function all(text: string): number {
  const { length } = text;
  let hash = SEED ^ length;
  for (let at = 0; at < length; at++) {
    hash = Math.imul(((hash << 7) | (hash >>> 25)) ^ text.charCodeAt(at), FACTOR);
    hash ^= hash >>> 15;
  }
  return hash;
}

/** The part of a label in the hash. */
export function characters(text: string, label: number, depths: Depths): number {
  const depth = (depths >>> shiftOf(label)) & 3;
  if (depth === SOME) return lastTwo(text);
  return depth === SIX ? six(text) : all(text);
}

/** The hash of a label set. */
export function hashOf(texts: readonly string[], depths: Depths): number {
  let hash = START;
  if (depths === SOME) for (const text of texts) hash = mix(hash, lastTwo(text));
  else for (let label = 0; label < texts.length; label++) hash = mix(hash, characters(texts[label], label, depths));
  return finish(hash);
}

function randomInteger(): number {
  return Math.floor(Math.random() * 2 ** 32) | 0;
}
