/**
 * Compiles the look-up of one `LabelTable`. Each table has code of its own, because engines specialise a `for-in` loop on
 * the objects that it has seen and never forget: in shared code, one label object with a getter or a deleted property
 * would slow down every metric of the process.
 *
 * The code for the labels `a` and `b` reads like this, with each step written once for each label:
 *
 *     read the values of `a` and `b`; refuse any other name
 *     take their texts, and hash some characters of each
 *     go through the index until an entry has the hash and both texts, and return its slot
 */
import { all, finish, lastTwo, mix, SIX, SOME, START, shiftOf, six } from './hash';
import { type LabelTable, NO_ENTRY, NO_SLOT } from './table';
import { plainText } from './value';

/** The slot of a label set, or `NO_SLOT`. Keeps no reference to the object. @throws {LabelError} `UNKNOWN_LABEL` */
export type Finder = (labels: object) => number;

/** What a finder returns: the slot, or the entry. */
export type Answer = 'slot' | 'entry';

/** Calls before the code is compiled: most metrics of a test or a short script are used a few times. */
const COMPILED_AFTER = 64;

/**
 * A finder that has itself replaced after some calls.
 *
 * @param replace receives the compiled finder
 */
export function openFinder(table: LabelTable, answer: Answer, replace: (finder: Finder) => void): Finder {
  let calls = 0;
  return (labels) => {
    if (++calls === COMPILED_AFTER) compile(table, answer, replace);
    const texts = table.read(labels).values.map(plainText);
    const entry = table.search(texts) || table.findFurther(texts);
    if (answer === 'entry') return entry;
    return entry === NO_ENTRY ? NO_SLOT : table.slotOf(entry) | 0;
  };
}

let compiled = 0;

function compile(table: LabelTable, answer: Answer, replace: (finder: Finder) => void): void {
  const tools = { table, plainText, lastTwo, six, all, mix, finish };
  try {
    // Equal texts would share one compiled function, so each has a number.
    const open = new Function(...Object.keys(tools), `'use strict'; /* ${++compiled} */ ${source(table, answer)}`);
    replace(open(...Object.values(tools)));
  } catch {
    // Node.js was started with --disallow-code-generation-from-strings: the finder stays as it is.
  }
}

function source({ names, bits }: LabelTable, answer: Answer): string {
  const each = (part: (label: number, name: string) => string, separator = '\n') =>
    names.map((name, label) => part(label, JSON.stringify(name))).join(separator);
  const texts = each((label) => `text${label}`, ', ');
  const first = 1 << bits;
  const found = answer === 'entry' ? 'entry' : `chunk[at + ${names.length}]`;
  return `return function find(labels) {
    ${each((label) => `let value${label};`)}
    for (const name in labels) {
      ${each((label, name) => `if (name === ${name}) value${label} = labels[name]; else`)}
      table.refuse(name, labels);
    }
    ${each((label) => `const text${label} = typeof value${label} === 'string' ? value${label} : plainText(value${label});`)}
    const { places, depths } = table;
    const mask = places.length - 1;
    let hash = ${START};
    ${each((label) => {
      const [depth, text] = [`(depths >>> ${shiftOf(label)} & 3)`, `(text${label})`];
      return `hash = mix(hash, ${depth} === ${SOME} ? lastTwo${text} : ${depth} === ${SIX} ? six${text} : all${text});`;
    })}
    hash = finish(hash);
    for (let place = (hash << 1) & mask, step = 2; ; place = (place + step) & mask, step += 2) {
      const entry = places[place + 1];
      if (entry === ${NO_ENTRY}) break;
      if (places[place] !== hash) continue;
      const chunk = entry < ${first} ? table.first : table.chunks[entry >>> ${bits}];
      const at = entry & ${first - 1};
      if (${each((label) => `chunk[at + ${label}] === text${label}`, ' && ') || 'entry > 1'}) return ${found};
    }
    const further = table.findFurther([${texts}]);
    return ${answer === 'entry' ? 'further' : `further === ${NO_ENTRY} ? ${NO_SLOT} : table.slotOf(further) | 0`};
  };`;
}
