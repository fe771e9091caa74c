/**
 * Reads a peer's declaration file and writes a program that holds each of its names against this library: every exported
 * type, class, member, function and constructor. The compiler then tells what is missing or does not fit.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Differences on purpose. docs/compatibility.md names each. */
const DIFFERENT = [
  // `Registry<T>` without an effect of `T`, as in the successor: registries of both formats go everywhere.
  'Registry.contentType',
];
const REPLACED = [
  // An enum of numbers in prom-client, which does not exist at run time. The successor has words, and here are some more.
  [/export (enum MetricType {[^}]*}|type MetricType =[^;]*;)/, 'export type MetricType = Ours.MetricType;'],
  // The samples of `get()` have no `collect`.
  [/collect: CollectFunction<any>;/, 'collect?: CollectFunction<any> | undefined;'],
];

/** Types that programs pass in, so the peer's must be accepted. The library returns all others. */
const PASSED_IN = /(Configuration|DataWithExemplar)$|^(CollectFunction)$/;

/** The names of a library's exports, and of the static members of its `Registry`. */
export function namesOf(client) {
  return [...Object.keys(client), ...Object.getOwnPropertyNames(client.Registry).map((name) => `Registry.${name}`)];
}

const LABELS = "'a' | 'b'";
const FORMAT = (peer) => `${peer}.PrometheusContentType`;

const readDeclarations = (peer) =>
  readFileSync(require.resolve(`${peer}/package.json`).replace('package.json', 'index.d.ts'), 'utf8');

/**
 * The peer's declarations with this library's classes in the place of its own wherever a signature names them. The peer's
 * class `X` becomes `PeerX`. Otherwise nothing would fit: a registry of the peer is not a registry of this library.
 */
export function adaptedDeclarations(peer, ours, exported) {
  const classes = classesOf(peer).filter((name) => exported.includes(name));
  const renamed = classes.reduce(
    (text, name) => text.replaceAll(new RegExp(`^export (class|namespace) ${name}\\b`, 'gm'), `export $1 Peer${name}`),
    readDeclarations(peer),
  );
  const union = renamed.replace(/\n\t\| Summary<T>/, exported.includes('Summary') ? '$&' : '');
  const replaced = REPLACED.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), union);
  return `import * as Ours from '${ours}';\nimport { ${classes.join(', ')} } from '${ours}';\n${replaced}`;
}

function classesOf(peer) {
  return declarationsOf(peer).flatMap(({ kind, name }) => (kind === 'class' ? [name] : []));
}

/** Declarations as `{ kind, name, parameters, members }`. All of a declaration file are exported. */
export function declarationsOf(peer) {
  const bare = readDeclarations(peer).replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  const found = [];
  const pattern = /^(?:export )?(class|interface|type|enum|const|function|namespace) (\w+)(<[^{(]*?>)?(?=\s*[({:=])/gm;
  for (const { 1: kind, 2: name, 3: parameters = '', index } of bare.matchAll(pattern)) {
    const body = bodyAfter(bare, index);
    found.push({ kind, name, parameters: splitTop(parameters.slice(1, -1)), members: membersOf(kind, body) });
  }
  return found;
}

/** The program that holds the adapted declarations of one peer, in the module `adapted`, against this library. */
export function programOf(peer, ours, exported, adapted) {
  const lines = [`import type * as Peer from '${adapted}';`, `import * as Ours from '${ours}';`];
  const classes = classesOf(peer).filter((name) => exported.includes(name));
  const nameIn = (library, name) => `${library}.${library === 'Peer' && classes.includes(name) ? 'Peer' : ''}${name}`;
  let count = 0;
  const check = (target, source, subject) => {
    count += 1;
    lines.push(`export const check${count}: ${target} = null! as ${source}; // ${subject}`);
  };
  for (const { kind, name, parameters, members } of declarationsOf(peer)) {
    if (name === 'NoLabelNameType') continue;
    const of = (library) => `${nameIn(library, name)}${typeArguments(parameters, library)}`;
    if (kind === 'const' || kind === 'function') check(`typeof Peer.${name}`, `typeof Ours.${name}`, name);
    else if (kind === 'namespace') {
      for (const { member, parameters: own } of members) {
        const inner = (library) => `${nameIn(library, name)}.${member}${typeArguments(own, library)}`;
        check(inner('Peer'), inner('Ours'), `${name}.${member}`);
        check(inner('Ours'), inner('Peer'), `a mock of ${name}.${member}`);
      }
    } else if (kind === 'class') {
      for (const { member, isStatic } of members) {
        const subject = `${name}.${member}`;
        if (DIFFERENT.includes(subject)) continue;
        const at = (library) =>
          isStatic ? `(typeof ${nameIn(library, name)})['${member}']` : `${of(library)}['${member}']`;
        check(at('Peer'), at('Ours'), subject);
      }
      check(`${of('Ours')} | undefined`, `InstanceType<typeof Ours.${name}> & ${of('Ours')}`, `instances of ${name}`);
      const configuration = `Peer.${name}Configuration${typeArguments(parameters, 'Peer')}`;
      if (/^(Counter|Gauge|Histogram|Summary)$/.test(name)) {
        lines.push(`export const made${name} = new Ours.${name}<${LABELS}>(null! as ${configuration});`);
        lines.push(`export class Own${name} extends Ours.${name}<${LABELS}> { collect() { this.reset(); } }`);
      }
    } else {
      const [target, source] = PASSED_IN.test(name) ? ['Ours', 'Peer'] : ['Peer', 'Ours'];
      check(of(target), of(source), name);
    }
  }
  return { text: `${lines.join('\n')}\n`, count };
}

/** Type arguments for parameters such as `T extends string = string`. */
function typeArguments(parameters, library) {
  if (parameters.length === 0) return '';
  const given = parameters.map((parameter) => {
    if (/RegistryContentType|ContentType/.test(parameter)) return FORMAT(library);
    if (/MetricValue/.test(parameter)) return `${library}.MetricValue<${LABELS}>`;
    return /extends string/.test(parameter) ? LABELS : 'object';
  });
  return `<${given.join(', ')}>`;
}

/** The text between the braces that follow an index, or '' if a `;` comes first. */
function bodyAfter(text, index) {
  const open = text.slice(index).search(/[{;]/) + index;
  if (text[open] !== '{') return '';
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '{') depth += 1;
    if (text[at] === '}') depth -= 1;
    if (depth === 0) return text.slice(open + 1, at);
  }
  throw new Error(`Expected a closing brace after ${text.slice(index, index + 60)}`);
}

function membersOf(kind, body) {
  if (kind === 'namespace') {
    const inner = body.matchAll(/interface (\w+)(<[^{]*?>)?\s*{/g);
    return [...inner].map(([, member, parameters = '']) => ({ member, parameters: splitTop(parameters.slice(1, -1)) }));
  }
  if (kind !== 'class') return [];
  const names = [...body.matchAll(/^\t(static )?(?:readonly )?(\w+)\s*[<(:?]/gm)];
  const members = names.map(([, isStatic, member]) => ({ member, isStatic: isStatic !== undefined }));
  const distinct = new Map(members.map((entry) => [`${entry.isStatic} ${entry.member}`, entry]));
  return [...distinct.values()].filter(({ member }) => member !== 'constructor');
}

/** The parts of a list of type parameters. */
function splitTop(text) {
  const trimmed = text.trim().replace(/,$/, '');
  return trimmed === '' ? [] : trimmed.split(/,(?![^<]*>)/).map((part) => part.trim());
}
