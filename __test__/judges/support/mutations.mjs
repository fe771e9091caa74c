// Damages expositions: replaces, removes, repeats and moves characters, tokens, numbers and lines, from a seed.

/** Deterministic numbers from 0 to 1 (mulberry32). */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const CHARACTERS = [
  ...'{}",=\\ #:._+-eEnNaAiI019\t\r\n\0',
  ...'\v\f\x1c\x1f\x85\u00a0\u2003\u2028\u3000\u0663\uff15\u{1d7ce}é💥\ufeff\ufffd',
];

const NUMBERS = [
  '0',
  '-0',
  '+0',
  '-1',
  '1.0',
  '.5',
  '5.',
  '.',
  '1e3',
  '1E+3',
  '1e',
  '1_000',
  '0x10',
  'NaN',
  'nan',
  '-nan',
  '+Inf',
  'Inf',
  '-Inf',
  'inf',
  'infinity',
  '1e400',
  '-1e400',
  '5e-324',
  '9007199254740992',
  '9007199254740993',
  '9007199254740993.0',
  '18446744073709551616',
  '18446744073709551617',
  `1${'0'.repeat(310)}`,
  `-1${'0'.repeat(310)}`,
  `1${'0'.repeat(4400)}`,
  `${'0'.repeat(4400)}1`,
  '1\u0663',
  '\uff11\uff12',
  '1.5',
  '-1.5',
  '1.+5',
  '1.-5',
  '-0.5',
  '1.1234567891',
  '1.123456789',
  '1520879607.789',
  '1520879607789',
  '1.5e3',
];

const TOKENS = [
  '{',
  '}',
  '{}',
  '"',
  '""',
  '\\"',
  '\\\\',
  '\\n',
  ',',
  ',,',
  '=',
  '="',
  '",',
  ' ',
  '  ',
  '\t',
  ' # ',
  '# ',
  '#',
  'a="b"',
  'a="b",',
  '"a b"="c"',
  '"quoted name"',
  '"quoted name",',
  '__name__="x"',
  '__reserved="x"',
  'le="+Inf"',
  'le="1"',
  'le="1.0"',
  'le="-1"',
  'le="Inf"',
  'le="NaN"',
  'le="nan"',
  'le="0_1"',
  'le=" 1"',
  'quantile="0.5"',
  'quantile="2"',
  'quantile="NaN"',
  '_total',
  '_created',
  '_sum',
  '_count',
  '_bucket',
  '_gsum',
  '_gcount',
  '_info',
  'HELP',
  'TYPE',
  'UNIT',
  'EOF',
  'counter',
  'gauge',
  'histogram',
  'gaugehistogram',
  'summary',
  'untyped',
  'unknown',
  'info',
  'stateset',
  'seconds',
  ' # {} 1',
  ' # {a="b"} 1',
  ' # {a="b"} 1 2.5',
  ' # {a="}"} 1',
  '{count:1,sum:2,schema:3,zero_threshold:4,zero_count:5}',
  '{count:1,sum:2,schema:3,zero_threshold:4,zero_count:5,positive_spans:[0:2,1:1],positive_deltas:[1,-1,0]}',
  'positive_spans:[0:2,1:1]',
  'negative_deltas:[1,-1,0]',
  'count:',
];

const LINES = [
  '',
  ' ',
  '# EOF',
  '# EOF ',
  '#',
  '# HELP',
  '# HELP a',
  '# HELP a ',
  '# TYPE a counter',
  '# TYPE a',
  '# TYPE "" counter',
  '# TYPE _total counter',
  '# HELP "quoted name" text',
  '# TYPE "quoted name" gauge',
  '{"quoted name"} 1',
  '{"quoted name",a="b"} 1',
  '{"a\\nb"} 1',
  '{""} 1',
  'nan',
  'inf',
  'a 1 2 3',
  'a{} 1',
  'a b{} 1',
  '# UNIT a a',
  '# TYPE nh histogram',
  'nh {count:24,sum:100,schema:0,zero_threshold:0.001,zero_count:4,positive_spans:[0:2,1:2],positive_deltas:[2,1,-3,3]}',
  'nh{a="b"} {count:24,sum:100,schema:0,zero_threshold:0.001,zero_count:4,negative_spans:[0:2],negative_deltas:[2,1]}',
];

/** @returns a function that picks one of the texts and applies a few mutations. */
export function mutator(random) {
  const below = (count) => Math.floor(random() * count);
  const pick = (list) => list[below(list.length)];

  /** A position in the text, and the length of the piece that is taken. */
  const replaced = (text, by, takenMax) => {
    const at = below(text.length + 1);
    return text.slice(0, at) + by + text.slice(at + below(takenMax + 1));
  };
  const swapMatch = (text, pattern, by) => {
    const found = [...text.matchAll(pattern)];
    if (found.length === 0) return text;
    const { 0: match, index } = pick(found);
    return text.slice(0, index) + by(match) + text.slice(index + match.length);
  };
  const onLines = (change) => (text) => {
    const lines = text.split('\n');
    change(lines);
    return lines.join('\n');
  };

  const mutations = [
    (text) => replaced(text, pick(CHARACTERS), 1),
    (text) => replaced(text, '', 3),
    (text) => replaced(text, pick(TOKENS), 2),
    // A byte of UTF-8 is lost or changed; invalid UTF-8 is read as U+FFFD.
    (text) => {
      const bytes = Buffer.from(text);
      if (bytes.length > 0) bytes[below(bytes.length)] = below(256);
      return bytes.toString();
    },
    // Replaces numbers, names, words and delimiters with others of the same kind.
    (text) => swapMatch(text, /(?<=[ "])[-+]?[0-9.]+(e[-+]?[0-9]+)?|\+Inf|NaN/g, () => pick(NUMBERS)),
    (text) => swapMatch(text, /[a-z_]+/g, () => pick(TOKENS)),
    (text) => swapMatch(text, /_[a-z]+/g, () => pick(TOKENS)),
    (text) => swapMatch(text, /[^a-z0-9]/g, () => pick([...TOKENS, ...CHARACTERS])),
    (text) => swapMatch(text, /[^a-z0-9]/g, (match) => match + match),
    (text) => swapMatch(text, / (?=[^ \n]*\n)/g, () => ` ${pick(NUMBERS)} `),
    (text) => swapMatch(text, /\n/g, () => ` ${pick(NUMBERS)}\n`),
    (text) => swapMatch(text, /\n/g, () => `${pick(TOKENS)}\n`),
    // Swaps two pieces of the same kind.
    (text) => {
      const found = [...text.matchAll(/"[^"\n]*"|[a-z_]{2,}/g)].map(([match]) => match);
      return found.length === 0 ? text : swapMatch(text, /"[^"\n]*"|[a-z_]{2,}/g, () => pick(found));
    },
    onLines((lines) => lines.splice(below(lines.length), 1)),
    onLines((lines) => lines.splice(below(lines.length), 0, pick(lines))),
    onLines((lines) => lines.splice(below(lines.length), 0, pick(LINES))),
    onLines((lines) => lines.splice(below(lines.length), 0, ...lines.splice(below(lines.length), 1 + below(4)))),
  ];

  return (texts) => {
    let text = pick(texts);
    // Sometimes mixes the lines of two expositions.
    if (random() < 0.1) text = spliced(text, pick(texts), below);
    for (let left = 1 + Math.floor(random() ** 2 * 4); left > 0; left--) text = pick(mutations)(text);
    // Both parsers get the same text: strings without lone surrogates.
    return text.toWellFormed();
  };
}

function spliced(one, two, below) {
  const [head, tail] = [one.split('\n'), two.split('\n')];
  return [...head.slice(0, below(head.length)), ...tail.slice(below(tail.length))].join('\n');
}
