/**
 * Reads expositions back. The core does the reading; this gives its answer a shape.
 */

/** Reads an exposition. */
export function parseExposition(text: string): string {
  return text;
}
