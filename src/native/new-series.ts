/**
 * Asks the core for new series. The labels of most series are passed in memory that the addon sees too, because converting
 * arrays takes most of the time of a call. Does not know what a series is for.
 */
import { native } from '../errors';
import { addon, type NativeFamily } from './addon';
import { cellIndexOf, cellsOf, scratchSlot } from './contributor';

/** The memory as bytes, for the labels. Made with the first series. */
let bytes: Uint8Array | undefined;
/** The same cells, for the answer: the array of their slab, and the index of the first one. */
let cells: Float64Array;
let first: number;

/** A label has a byte for the index of its name and one for the length of its value. */
const HEAD_BYTES = 2;
const BYTE_MAX = 255;
const ASCII_MAX = 127;

/** The answer of `packLabels()` for labels that are too long, or not ASCII. */
export const NOT_PACKED = -1;

/** A family, and the number by which the addon's functions name it. */
export interface NumberedFamily {
  readonly family: NativeFamily;
  readonly number: number;
}

/**
 * Adds a series and returns two numbers, its ID and its slot. Over a limit, returns what the addon's `addSeries` does.
 *
 * @param packed what `packLabels()` has just returned for the same labels
 * @param printed indices of label names, in the order in which the labels are printed
 * @param texts the values of all labels, in the order of the label names
 */
export function addSeries(
  { family, number }: NumberedFamily,
  packed: number,
  printed: readonly number[],
  texts: readonly string[],
): readonly number[] {
  return native(() => {
    if (packed !== NOT_PACKED && addon.addPackedSeries(number, packed)) return [cells[first], cells[first + 1]];
    return family.addSeries(
      [...printed],
      printed.map((index) => texts[index]),
    );
  });
}

/**
 * Writes labels for the addon, which unpacks them in `scratch.rs`. Returns the number of bytes, or `NOT_PACKED`.
 *
 * @param printed indices of label names, in the order in which the labels are printed
 * @param texts the values of all labels, in the order of the label names
 */
export function packLabels(printed: readonly number[], texts: readonly string[]): number {
  const memory = bytes ?? openScratch();
  let end = 0;
  for (const index of printed) {
    const text = texts[index];
    const { length } = text;
    let at = end + HEAD_BYTES;
    end = at + length;
    if (index > BYTE_MAX || length > BYTE_MAX || end > memory.length) return NOT_PACKED;
    memory[at - 2] = index;
    memory[at - 1] = length;
    for (let unit = 0; unit < length; unit++, at++) {
      const code = text.charCodeAt(unit);
      if (code > ASCII_MAX) return NOT_PACKED;
      memory[at] = code;
    }
  }
  return end;
}

function openScratch(): Uint8Array {
  const slot = scratchSlot();
  cells = cellsOf(slot);
  first = cellIndexOf(slot);
  bytes = new Uint8Array(cells.buffer, first * cells.BYTES_PER_ELEMENT, addon.SCRATCH_BYTES);
  return bytes;
}
