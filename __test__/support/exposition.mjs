// Shared by all tests: expositions as lines, and their parts that have no order.

/** Lines as an exposition has them: each ends with a newline. */
export function text(...lines) {
  return `${lines.join('\n')}\n`;
}

/** The endpoint's own families. */
const SELF = /^(# (HELP|TYPE) )?llmdevops_(metrics|eventloop_stalled)_/;

/**
 * An exposition without the families that tell of the endpoint itself, which come last. What follows the first of them
 * must be of them, or this would hide it.
 */
export function withoutSelfMetrics(exposition) {
  const lines = exposition.split('\n');
  const first = lines.findIndex((line) => SELF.test(line));
  if (first === -1) return exposition;
  const strange = lines.slice(first).find((line) => line !== '' && line !== '# EOF' && !SELF.test(line));
  if (strange !== undefined) throw new Error(`Expected nothing behind the endpoint's own metrics but: ${strange}`);
  const end = lines.includes('# EOF', first) ? ['# EOF', ''] : [''];
  // Text 0.0.4 has a blank line before each family but the first.
  const own = lines.slice(0, lines[first - 1] === '' ? first - 1 : first);
  return [...own, ...end].join('\n');
}

/** The samples of an exposition, without HELP, TYPE and blank lines, and without those of the endpoint itself. */
export function samplesOf(exposition) {
  return withoutSelfMetrics(exposition)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** The value of one series in an exposition, the endpoint's own among them; `undefined` if it is missing. */
export function seriesValue(exposition, series) {
  const line = exposition.split('\n').find((line) => line.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1).replace('Inf', 'Infinity'));
}

/** The samples that a registry shows now. */
export async function samples(registry) {
  return samplesOf(await registry.metrics());
}

/** A label value as text 0.0.4 shows it between the quotes. */
export function escaped(value) {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
