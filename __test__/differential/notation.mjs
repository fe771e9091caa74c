// Writes values as JavaScript that can be pasted and run, and as text. Two texts are equal exactly if a program could
// not distinguish the two outcomes.

/** JavaScript source of a value. */
export function literal(value) {
  if (Array.isArray(value)) {
    return `[${value.map(literal).join(', ')}]`;
  }
  if (value !== null && typeof value === 'object') {
    const fields = Object.entries(value).map(
      ([key, item]) => `${/^\w+$/.test(key) ? key : JSON.stringify(key)}: ${literal(item)}`,
    );
    return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
  }
  if (typeof value === 'string') {
    return JSON.stringify(value);
  }
  return typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : String(value);
}

/**
 * An outcome as text. Label sets keep their order, because it is the printed order. The fields of other objects are
 * sorted, and `undefined` ones left out, as in JSON. `nameOf` names the objects of the program.
 */
export function notation(value, nameOf, ordered = false) {
  const name = nameOf(value);
  if (name !== undefined) {
    return name;
  }
  if (Array.isArray(value)) {
    return `[${value.map((item) => notation(item, nameOf)).join(', ')}]`;
  }
  if (value === null || typeof value !== 'object') {
    return typeof value === 'function' ? 'a function' : literal(value);
  }
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  const fields = (ordered ? keys : keys.sort()).map(
    (key) => `${key}: ${notation(value[key], nameOf, key === 'labels' || key === 'labelSet')}`,
  );
  return `{${fields.join(', ')}}`;
}
