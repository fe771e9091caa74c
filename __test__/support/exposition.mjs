// What the tests of this folder share: expositions as lines, and the order-free parts of them.

/** Lines as an exposition has them: each ends with a newline. */
export function text(...lines) {
  return `${lines.join('\n')}\n`;
}

/** The samples of an exposition, without HELP, TYPE and blank lines. */
export function samplesOf(exposition) {
  return exposition.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

/** The samples that a registry shows now. */
export async function samples(registry) {
  return samplesOf(await registry.metrics());
}

/** A label value as text 0.0.4 shows it between the quotes. */
export function escaped(value) {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
