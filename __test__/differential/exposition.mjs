// Reads a scrape line by line, as far as exemptions need it: a sample's name, raw label text, value and exemplar. It
// cannot validate a format; an unknown line is an error.

const LABELS = String.raw`(?:[^"{}]|"(?:[^"\\]|\\[\s\S])*")*`;
const SAMPLE = new RegExp(
  String.raw`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(${LABELS})\})? (\S+)(?: # \{(${LABELS})\} (\S+) (\S+))?$`,
);

/** The text with `change(sample)` for every sample; comments and blank lines stay. */
export function mapSamples(text, change) {
  return mapLines(text, (line) => (line === '' || line.startsWith('#') ? line : render(change(parse(line)))));
}

/** The text with `change(help)` for the raw help text of every family, escapes included. */
export function mapHelp(text, change) {
  return mapLines(text, (line) => line.replace(/^(# HELP \S+ )(.*)$/s, (_, start, help) => start + change(help)));
}

function mapLines(text, change) {
  return text.split('\n').map(change).join('\n');
}

function parse(line) {
  const match = SAMPLE.exec(line);
  if (match === null) {
    throw new Error(`not a sample: ${line}`);
  }
  const [, name, labels, value, exemplarLabels, exemplarValue, timestamp] = match;
  const exemplar =
    exemplarLabels === undefined ? undefined : { labels: exemplarLabels, value: exemplarValue, timestamp };
  return { name, labels, value, exemplar };
}

function render({ name, labels, value, exemplar }) {
  const set = labels === undefined ? '' : `{${labels}}`;
  const tail = exemplar === undefined ? '' : ` # {${exemplar.labels}} ${exemplar.value} ${exemplar.timestamp}`;
  return `${name}${set} ${value}${tail}`;
}
