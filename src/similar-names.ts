/**
 * Finds the names that are most similar to a misspelled one, for error messages. It must not know what is named.
 */

/** The similar names, the most similar first. */
export function similarNames(wanted: string, names: readonly string[]): string[] {
  // A name of four letters with two wrong ones is another word, unless they are swapped.
  const most = Math.max(1, wanted.length / 4);
  return names
    .map((name) => ({ name, edits: editsBetween(name, wanted) }))
    .filter(({ name, edits }) => edits <= most || contain(name, wanted))
    .sort((a, b) => a.edits - b.edits)
    .map(({ name }) => name);
}

/** True if one name is in the other and has at least half its length. */
function contain(a: string, b: string): boolean {
  return Math.min(a.length, b.length) * 2 >= Math.max(a.length, b.length) && (a.includes(b) || b.includes(a));
}

/** How many letters to insert, remove, replace or swap with their neighbour to turn one word into the other. */
function editsBetween(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2] + 1 : replaced;
      next.push(Math.min(replaced, swapped, row[j] + 1, next[j - 1] + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length];
}
