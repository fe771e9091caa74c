/**
 * Decides which answer of a door a request wants that a framework's router has passed to it: the exposition, `/health`,
 * `/ready` or the page. Each door tells the place of its requests; this module must not know any framework.
 *
 * A handler answers its mount path only if the application has given that path to the handler alone. At the root of an
 * application or of a router, which other handlers share, it answers no more than its own paths.
 */

/** Where the router of a framework has put a request. */
export interface Place {
  /** The path at which the handler is mounted, or the whole path if a route of the handler matched it. */
  readonly mount: string;
  /** The path beneath the mount. */
  readonly rest: string;
  /** True if the application has given the mount to this handler alone. */
  readonly isOwn: boolean;
  /** True if the router distinguishes `/Ready` from `/ready`. @default false */
  readonly isCaseSensitive?: boolean;
  /** True if the router distinguishes `/ready/` from `/ready`. @default false */
  readonly isStrict?: boolean;
}

/**
 * The path of the door that a request wants; undefined for a request that is not for the door.
 *
 * @param path the path of the exposition
 * @param own the path that the handler's own mount shows, if the mount is not named like a path of the door
 */
export function wantedPath(path: string, own: string, place: Place): string | undefined {
  const form = (text: string): string => {
    const whole = place.isStrict === true ? text : withoutSlashes(text);
    return place.isCaseSensitive === true ? whole : whole.toLowerCase();
  };
  const paths = [path, '/health', '/ready'];
  const rest = form(place.rest);
  if (withoutSlashes(rest) !== '') return paths.find((one) => form(one) === rest);
  const mount = withoutSlashes(form(place.mount));
  return paths.find((one) => mount.endsWith(withoutSlashes(form(one)))) ?? (place.isOwn ? own : undefined);
}

const WILDCARD = /[*{(]/;

/** True if a route's pattern has a wildcard, an optional part or an expression. */
export function isWild(pattern: string): boolean {
  return WILDCARD.test(pattern);
}

/**
 * The place of a request that a route's pattern matched. The mount is the part of the path before the pattern's wildcard, or
 * the whole path.
 *
 * @param isOwn false if other handlers share the route
 */
export function placeOfRoute(pattern: string, path: string, isOwn: boolean): Place {
  const wildcard = pattern.search(WILDCARD);
  if (wildcard < 0) return { mount: path, rest: '', isOwn };
  const segments = pattern.slice(0, wildcard).split('/').filter(Boolean).length;
  const parts = path.split('/');
  const [mount, rest] = [parts.slice(0, segments + 1).join('/'), parts.slice(segments + 1).join('/')];
  return { mount, rest: `/${rest}`, isOwn: isOwn && segments > 0 };
}

/** The path without the slashes at its end. A regular expression would take quadratic time for many slashes. */
function withoutSlashes(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  return path.slice(0, end);
}
