/**
 * Reads the table of rooms in ARCHITECTURE.md and compares it with real imports. A room is one or more files and folders;
 * a file belongs to the room that names it most exactly.
 */

/** The rooms of the table under `heading`: `{ name, places, mayImport }`. A room's name is its first place. */
export function readRooms(markdown, heading) {
  const section = markdown.split(/^## /m).find((part) => part.startsWith(heading));
  if (section === undefined) throw new Error(`ARCHITECTURE.md has no section "${heading}"`);
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) => {
    const [places, , imports] = row.split('|').slice(1, -1);
    const listed = codeSpans(places);
    return { name: listed[0], places: listed, mayImport: imports.includes('everything') ? null : codeSpans(imports) };
  });
}

function codeSpans(cell) {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text);
}

/** The room of a file, or `undefined`. */
export function roomOf(rooms, file) {
  let best;
  let length = -1;
  for (const room of rooms) {
    for (const place of room.places) {
      if ((file === place || file.startsWith(`${place}/`)) && place.length > length) {
        best = room;
        length = place.length;
      }
    }
  }
  return best;
}

/** A sentence for each import that the table does not allow, and for each file that belongs to no room. */
export function violations(rooms, imports) {
  const found = [];
  for (const [file, targets] of imports) {
    const room = roomOf(rooms, file);
    if (room === undefined) {
      found.push(`${file} belongs to no room of ARCHITECTURE.md`);
      continue;
    }
    for (const target of targets) {
      const other = roomOf(rooms, target);
      if (other === undefined || other === room || room.mayImport === null) continue;
      if (!room.mayImport.includes(other.name)) {
        found.push(`${file} imports ${target}: ${room.name} may not import ${other.name}`);
      }
    }
  }
  return found;
}

/** Unknown rooms in the last column, and rooms without a file. */
export function mistakes(rooms, files) {
  const names = new Set(rooms.map(({ name }) => name));
  const unknown = rooms.flatMap(({ name, mayImport }) =>
    (mayImport ?? [])
      .filter((other) => !names.has(other))
      .map((other) => `${name} may import ${other}, an unknown room`),
  );
  const empty = rooms
    .flatMap(({ places }) => places)
    .filter((place) => !files.some((file) => file === place || file.startsWith(`${place}/`)))
    .map((place) => `${place} has no file`);
  return [...unknown, ...empty];
}
