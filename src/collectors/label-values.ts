/**
 * Turns names and words of callers into label values. A program without types may pass anything, so every value is checked
 * here. It must not know metrics.
 */
import { OTHER } from '../labels/value';
import { addon } from '../native/addon';

export { OTHER };

/** The name as labels show it; `other` if it is empty, too long or cannot be printed. */
export function readName(given: unknown): string {
  try {
    const name = String(given ?? OTHER);
    return name === '' || name.length > addon.MAX_NAME_LENGTH ? OTHER : name;
  } catch {
    return OTHER;
  }
}

/** The word if the label has it, otherwise `other`; nothing if the label does not have `other`. */
export function findWord(words: readonly string[], given: string | undefined): string | undefined {
  if (given !== undefined && words.includes(given)) return given;
  return words.includes(OTHER) ? OTHER : undefined;
}
