/**
 * The route of a request in Express 4 and 5, and in what is built on them. At the end of a response `req.route` is
 * the route that answered, but `req.baseUrl` is a path, with what stood in for parameters, and after an error it is
 * that of the error handler. So the pattern is put together on the way from the application to the route.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

type Pattern = string | RegExp | readonly Pattern[];

interface ExpressRoute {
  readonly path?: Pattern;
  /** Every method that it answers, or `_all`. */
  readonly methods?: Readonly<Record<string, boolean>>;
}

/** Express 4 and routers up to 2.2 keep the last match in the layer, later ones return it with its pattern. */
interface Match {
  readonly path?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly pattern?: Pattern;
  /** Express 4's. */
  readonly regexp?: RegExp;
  readonly keys?: readonly unknown[];
}

interface Layer extends Match {
  readonly route?: ExpressRoute;
  readonly name?: string;
  readonly handle?: unknown;
  match?(path: string): boolean | Match;
}

interface Application {
  readonly parent?: Application;
  readonly _router?: { readonly stack?: readonly Layer[] };
  readonly router?: { readonly stack?: readonly Layer[] };
}

export interface ExpressRequest extends IncomingMessage {
  readonly route?: ExpressRoute;
  readonly app?: Application;
  readonly baseUrl?: string;
  readonly originalUrl?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/** Routers within routers; a router that contains itself would never end. */
const MAX_DEPTH = 32;

/** The pattern of the route that answered; `undefined` where none did, or one that is there to say so. */
export function expressRoute(request: ExpressRequest, response: ServerResponse): string | undefined {
  const { route } = request;
  if (route?.path === undefined) return undefined;
  // A 404 from `all('*')`: the application's page for it, and what NestJS makes of a global prefix.
  if (response.statusCode === 404 && catchesAll(route)) return undefined;
  return patternOf(request, route, route.path);
}

/** More methods than anybody lists: Express makes `all()` a route of each that Node.js knows. */
const MANY_METHODS = 20;

function catchesAll({ path, methods = {} }: ExpressRoute): boolean {
  return String(path).includes('*') && (methods._all === true || Object.keys(methods).length > MANY_METHODS);
}

/** Patterns by route and by the path that led to it: most routers are mounted at few paths. */
const known = new WeakMap<ExpressRoute, Map<string, string>>();
/** Paths with parameters in them are without end. */
const MAX_KNOWN = 32;

function patternOf(request: ExpressRequest, route: ExpressRoute, path: Pattern): string {
  const { baseUrl = '' } = request;
  const patterns = known.get(route) ?? new Map<string, string>();
  const kept = patterns.get(baseUrl);
  if (kept !== undefined) return kept;
  const prefix = searched(request, route);
  if (prefix === undefined) return joined(templateOf(baseUrl, request.params ?? {}), path);
  const pattern = joined(prefix, path);
  // After an error `baseUrl` is empty, wherever the route is.
  if (patterns.size < MAX_KNOWN && (baseUrl !== '' || prefix === '')) known.set(route, patterns.set(baseUrl, pattern));
  return pattern;
}

function joined(prefix: string, path: Pattern): string {
  if (Array.isArray(path))
    return path
      .flat(8)
      .map((each: Pattern) => joined(prefix, each))
      .join('|');
  if (prefix === '') return String(path);
  return path === '/' ? prefix : `${prefix}${path}`;
}

function searched(request: ExpressRequest, route: ExpressRoute): string | undefined {
  const { baseUrl = '', url = '/', originalUrl = url } = request;
  const apps: Application[] = [];
  for (let app = request.app; app !== undefined && apps.length < MAX_DEPTH; app = app.parent) apps.unshift(app);
  if (apps.length === 0) return undefined;
  const stack = stackOf(apps[0]) ?? [];
  const find = (target: string) => search({ route, apps }, stack, target.split('?', 1)[0], 1, 0);
  try {
    // The application may have rewritten the path before it came to its routes.
    return find(originalUrl) ?? find(baseUrl + url);
  } catch {
    // A path that cannot be decoded. Layers are not ours, and may be anything else as well.
    return undefined;
  }
}

/** What is looked for, and the applications on the way to it. */
interface Wanted {
  readonly route: ExpressRoute;
  readonly apps: readonly Application[];
}

/** What stands before a route's own pattern, from this stack on. */
function search(
  wanted: Wanted,
  stack: readonly Layer[],
  path: string,
  nextApp: number,
  depth: number,
): string | undefined {
  if (depth > MAX_DEPTH) return undefined;
  for (const layer of stack) {
    if (layer.route === wanted.route) return '';
    const mounted = layer.name === 'mounted_app' && nextApp < wanted.apps.length;
    const inner = mounted ? stackOf(wanted.apps[nextApp]) : stackOf(layer.handle);
    const match = inner === undefined ? undefined : matchOf(layer, path);
    if (inner === undefined || match === undefined) continue;
    const rest = path.slice(match.path.length);
    const below = rest.startsWith('/') ? rest : `/${rest}`;
    const found = search(wanted, inner, below, mounted ? nextApp + 1 : nextApp, depth + 1);
    if (found !== undefined) return match.pattern + found;
  }
  return undefined;
}

/** The layers of a router or an application. */
function stackOf(handle: unknown): readonly Layer[] | undefined {
  if (typeof handle !== 'function') return undefined;
  const { stack } = handle as { stack?: readonly Layer[] };
  if (Array.isArray(stack)) return stack;
  const app = handle as Application;
  // Express 4 throws where 5 has its router.
  if (app._router !== undefined) return app._router.stack;
  return 'mountpath' in app && 'lazyrouter' in app ? undefined : app.router?.stack;
}

function matchOf(layer: Layer, path: string): { path: string; pattern: string } | undefined {
  const result = layer.match?.(path);
  if (result === undefined || result === false) return undefined;
  const match: Match = result === true ? layer : result;
  const matched = match.path ?? '';
  const pattern =
    match.pattern === undefined
      ? (sourceOf(match) ?? templateOf(matched, match.params ?? {}))
      : withoutSlash(String(match.pattern));
  return { path: matched, pattern };
}

/** The pattern that Express 4 made an expression from; `undefined` where it was an expression itself. */
function sourceOf({ regexp, keys = [] }: Match): string | undefined {
  if (regexp === undefined) return undefined;
  const names = keys.map((key) => (key as { name: unknown }).name);
  const pattern = regexp.source
    .replace(/^\^/, '')
    .replace(/(\\\/)?\?\(\?=\\\/\|\$\)$/, '')
    // `(?:\/([^/]+?))`, with the slash within it or, before 4.20, outside.
    .replaceAll(/\(\?:(\\\/)?\(\[\^\\?\/\]\+\?\)\)/g, (_, slash = '') => `${slash}:${names.shift()}`)
    .replaceAll(/\\([/.])/g, '$1');
  return /[\\^$()|?*+[\]{}]/.test(pattern) ? undefined : withoutSlash(pattern);
}

/**
 * A path in which the values of parameters are their names again, from the last segment to the first. The rest is in
 * lower case: which letters were capital, the client has chosen.
 */
function templateOf(path: string, params: Readonly<Record<string, unknown>>): string {
  const names = Object.entries(params).reverse();
  const segments = path.split('/');
  const named = new Map<number, string>();
  for (const [name, value] of names) {
    if (typeof value !== 'string' || value === '') continue;
    const free = (_: string, at: number) => !named.has(at);
    const whole = segments.findLastIndex((segment, at) => free(segment, at) && decoded(segment) === value);
    const at = whole >= 0 ? whole : segments.findLastIndex((segment) => decoded(segment).includes(value));
    if (at >= 0)
      named.set(
        at,
        (named.get(at) ?? decoded(segments[at])).replace(value, () => `:${name}`),
      );
  }
  return withoutSlash(segments.map((segment, at) => named.get(at) ?? segment.toLowerCase()).join('/'));
}

/** A prefix without the slash that its route begins with; an expression ends with one of its own. */
function withoutSlash(prefix: string): string {
  return prefix.startsWith('/^') ? prefix : prefix.replace(/\/+$/, '');
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
