/**
 * Finds the route pattern of a request in Express 4 and 5, and in frameworks built on them. At the end of a response,
 * `req.route` is the route that answered. But `req.baseUrl` is a path with the values of parameters, and after an error it
 * belongs to the error handler. So the pattern is built by walking from the application to the route.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

type Pattern = string | RegExp | readonly Pattern[];

interface ExpressRoute {
  readonly path?: Pattern;
  /** The methods that it answers, or `_all`. */
  readonly methods?: Readonly<Record<string, boolean>>;
}

/** Express 4 and `router` up to 2.2 store the last match in the layer. Later versions return it, with its pattern. */
interface Match {
  readonly path?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly pattern?: Pattern;
  /** Only in Express 4. */
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

/** Most levels of nested routers, because a router that contains itself would never end. */
const MAX_DEPTH = 32;

/** The pattern of the route that answered; undefined if no route did, or if a catch-all route answered with 404. */
export function expressRoute(request: ExpressRequest, response: ServerResponse): string | undefined {
  const { route } = request;
  if (route?.path === undefined) return undefined;
  // `all('*')` with 404 is the application's not-found page, or the route that NestJS adds for a global prefix.
  if (response.statusCode === 404 && catchesAll(route)) return undefined;
  return patternOf(request, route, route.path);
}

/** A route with more methods was made by `all()`, for which Express lists every method that Node.js knows. */
const MANY_METHODS = 20;

function catchesAll({ path, methods = {} }: ExpressRoute): boolean {
  return String(path).includes('*') && (methods._all === true || Object.keys(methods).length > MANY_METHODS);
}

/** Patterns by route and `baseUrl`. Most routers are mounted at few paths. */
const known = new WeakMap<ExpressRoute, Map<string, string>>();
/** Most cached paths of a route, because paths with parameters are unlimited. */
const MAX_KNOWN = 32;

function patternOf(request: ExpressRequest, route: ExpressRoute, path: Pattern): string {
  const { baseUrl = '' } = request;
  const patterns = known.get(route) ?? new Map<string, string>();
  const kept = patterns.get(baseUrl);
  if (kept !== undefined) return kept;
  const prefix = searched(request, route);
  if (prefix === undefined) return joined(templateOf(baseUrl, request.params ?? {}), path);
  const pattern = joined(prefix, path);
  // After an error `baseUrl` is always empty, so it cannot be a key.
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
    // The application may have rewritten `url`, so try the original URL first.
    return find(originalUrl) ?? find(baseUrl + url);
  } catch {
    // The path cannot be decoded, or a layer is not what we expect.
    return undefined;
  }
}

/** The route to find, and the applications from the outermost to the one that has it. */
interface Wanted {
  readonly route: ExpressRoute;
  readonly apps: readonly Application[];
}

/** The pattern of the mount path, from this stack to the route. */
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
  // In Express 4, reading `router` throws.
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

/** The pattern that Express 4 compiled to a RegExp; undefined if the application passed a RegExp. */
function sourceOf({ regexp, keys = [] }: Match): string | undefined {
  if (regexp === undefined) return undefined;
  const names = keys.map((key) => (key as { name: unknown }).name);
  const pattern = regexp.source
    .replace(/^\^/, '')
    .replace(/(\\\/)?\?\(\?=\\\/\|\$\)$/, '')
    // A parameter is `(?:\/([^/]+?))`. Before 4.20 the slash is outside of the group.
    .replaceAll(/\(\?:(\\\/)?\(\[\^\\?\/\]\+\?\)\)/g, (_, slash = '') => `${slash}:${names.shift()}`)
    .replaceAll(/\\([/.])/g, '$1');
  return /[\\^$()|?*+[\]{}]/.test(pattern) ? undefined : withoutSlash(pattern);
}

/**
 * A path with parameter names in place of their values, replaced from the last segment to the first. Other segments become
 * lower case, because the client chooses their case.
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

/** A prefix without its final slash. A RegExp keeps its closing slash. */
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
