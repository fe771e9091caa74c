// Finds the names in a PromQL expression: metrics with their matchers, and labels that it groups or joins by. It is not
// a parser and expects a valid expression; Prometheus validates expressions in another test.

const TOKEN =
  /(?<string>"(?:[^"\\]|\\.)*")|(?<range>\[[^\]]*\])|(?<number>\d[\w.]*)|(?<word>[a-zA-Z_:$][\w:$]*)|(?<mark>=~|!~|!=|==|[-+*/%^<>=(){},@])/g;
const GROUPING = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const OPERATORS = new Set(['and', 'or', 'unless', 'offset', 'bool']);

/** @returns {{metrics: {name: string, matchers: {label: string, operator: string, value: string}[]}[], labels: string[]}} */
export function namesIn(expression) {
  const tokens = [...expression.matchAll(TOKEN)].map(({ 0: text, groups }) => {
    return { kind: Object.keys(groups).find((kind) => groups[kind] !== undefined), text };
  });
  const metrics = [];
  const labels = [];
  for (let at = 0; at < tokens.length; at++) {
    const { kind, text } = tokens[at];
    const next = tokens[at + 1]?.text;
    if (kind === 'mark' && text === '{') {
      at = readMatchers(tokens, at, metrics, '');
    } else if (kind === 'word' && GROUPING.has(text)) {
      const end = tokens.findIndex((token, i) => i > at && token.text === ')');
      labels.push(
        ...tokens
          .slice(at + 2, end)
          .filter((token) => token.kind === 'word')
          .map((token) => token.text),
      );
      at = end;
    } else if (kind === 'word' && !OPERATORS.has(text) && next !== '(' && !GROUPING.has(next)) {
      if (next === '{') at = readMatchers(tokens, at + 1, metrics, text);
      else metrics.push({ name: text, matchers: [] });
    }
  }
  return { metrics, labels };
}

/** Reads from the opening brace. @returns the position of the closing one. */
function readMatchers(tokens, open, metrics, name) {
  const close = tokens.findIndex((token, i) => i > open && token.text === '}');
  const matchers = [];
  for (let at = open + 1; at < close; at += 4) {
    const [label, operator, value] = tokens.slice(at, at + 3);
    matchers.push({ label: label.text, operator: operator.text, value: JSON.parse(value.text) });
  }
  metrics.push({ name, matchers });
  return close;
}
