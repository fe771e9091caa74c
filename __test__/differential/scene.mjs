// Makes the registry and the metrics of a small program.

export const help = 'Some help';

/** A registry and a function that makes metrics in it. */
export function scene(client) {
  const registry = new client.Registry();
  const make = (type, name, rest = {}) => new client[type]({ name, help, registers: [registry], ...rest });
  return { registry, make };
}

/** An exposition without the durations that timers recorded: sums of histograms, and the gauge `g`. */
export function withoutSeconds(text) {
  return text.replaceAll(/^(\w+_sum(?:{[^}]*})?|g(?:{[^}]*})?) \d.*$/gm, '$1 …');
}
