/**
 * Finds the place of a request in Express 4 and 5, and in frameworks that are built on them or that call `(req, res, next)`.
 */
import type { IncomingMessage } from 'node:http';
import { isWild, type Place, placeOfRoute } from './place';
import { toPath } from './target';

interface Layer {
  readonly handle?: unknown;
  readonly route?: unknown;
  /** True for `use()` without a path. */
  readonly slash?: boolean;
  /** The same in Express 4. */
  readonly regexp?: { readonly fast_slash?: boolean };
}

interface Application {
  readonly _router?: { readonly stack?: readonly Layer[] };
  readonly router?: { readonly stack?: readonly Layer[] };
  enabled?(setting: string): boolean;
}

interface RoutedRequest extends IncomingMessage {
  readonly app?: Application;
  readonly baseUrl?: unknown;
  readonly originalUrl?: unknown;
  readonly route?: { readonly path?: unknown; readonly stack?: readonly Layer[] };
}

/** Most levels of nested routers, because a router that contains itself would never end. */
const MAX_DEPTH = 32;

/**
 * The place of a request; undefined if no framework has routed it.
 *
 * @param handler the handler, as the application passed it to `use()` or to a route
 * @param isLast true if the handler has no `next()`, so that it has to answer the request in any case
 */
export function expressPlace(request: IncomingMessage, handler: unknown, isLast: boolean): Place | undefined {
  const { url = '/', originalUrl, baseUrl, app, route } = request as RoutedRequest;
  const rest = toPath(url);
  const whole = typeof originalUrl === 'string' ? toPath(originalUrl) : rest;
  const settings = settingsOf(app);
  // Express leaves the route of an earlier handler in the request, so look for this handler in it.
  const isRouted = route?.stack?.some(({ handle }) => handle === handler) === true;
  // Frameworks pass `next()` to handlers that they call themselves.
  const mounting = isRouted || isLast ? undefined : mountingOf(app, handler);
  const base = typeof baseUrl === 'string' ? baseUrl : prefixOf(whole, rest);
  if (isRouted || (route !== undefined && mounting === undefined)) {
    const place = routedPlace(route?.path, base, rest, isRouted || isLast);
    if (place !== undefined) return { ...place, ...settings };
  }
  // The API routes of Next.js' pages have this property, and no `next()`.
  if (isLast && 'draftMode' in request) return { mount: rest, rest: '', isOwn: true };
  if (base !== '') {
    return { mount: base, rest, isOwn: mounting === 'own path' || (mounting === undefined && isLast), ...settings };
  }
  return app === undefined ? undefined : { mount: '', rest, isOwn: false, ...settings };
}

/**
 * The place of a request that a route has matched. A route that ends with `next()` may have been the earlier handler's, so
 * its wildcard says nothing.
 */
function routedPlace(pattern: unknown, base: string, rest: string, isOwn: boolean): Place | undefined {
  const patterns = [pattern].flat(MAX_DEPTH);
  const wild = patterns.filter((each) => typeof each !== 'string' || isWild(each));
  if (wild.length === 0) return { mount: base + rest, rest: '', isOwn };
  if (!isOwn) return undefined;
  const [only] = patterns;
  if (patterns.length > 1 || typeof only !== 'string') return { mount: base + rest, rest: '', isOwn: false };
  return placeOfRoute(base + only, base + rest, true);
}

/** How the application distinguishes paths. */
function settingsOf(app: Application | undefined): Pick<Place, 'isCaseSensitive' | 'isStrict'> {
  if (typeof app?.enabled !== 'function') return {};
  return { isCaseSensitive: app.enabled('case sensitive routing'), isStrict: app.enabled('strict routing') };
}

/** The path that Connect and others have taken off the URL before they called the handler. */
function prefixOf(whole: string, rest: string): string {
  if (whole.endsWith(rest)) return whole.slice(0, whole.length - rest.length);
  return rest === '/' ? whole : '';
}

/** How `use()` has mounted the handler itself; undefined if the application calls it from a function of its own. */
function mountingOf(app: Application | undefined, handler: unknown): 'own path' | 'shared' | undefined {
  let found: 'own path' | 'shared' | undefined;
  const visit = (stack: readonly Layer[], depth: number): void => {
    for (const { handle, slash, regexp } of stack) {
      if (handle === handler) {
        if (found !== 'own path') found = (slash ?? regexp?.fast_slash) ? 'shared' : 'own path';
      } else if (typeof handle === 'function' && depth < MAX_DEPTH) {
        const inner = (handle as { stack?: unknown }).stack;
        if (Array.isArray(inner)) visit(inner, depth + 1);
      }
    }
  };
  // In Express 4, reading `router` throws, so read `_router` first.
  if (app !== undefined) visit((app._router ?? (isExpress4(app) ? undefined : app.router))?.stack ?? [], 0);
  return found;
}

function isExpress4(app: object): boolean {
  return 'lazyrouter' in app;
}
