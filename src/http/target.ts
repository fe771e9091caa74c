/**
 * Takes request targets (path and query) apart, without the cost of parsing a URL.
 */

/** The part of an absolute URL after the host: `/metrics?name[]=up`. */
export function toTarget(url: string): string {
  const path = url.indexOf('/', url.indexOf('//') + 2);
  return path < 0 ? '/' : url.slice(path);
}

/** The path of a target or of an absolute URL. */
export function toPath(target: string): string {
  const here = target.startsWith('/') ? target : toTarget(target);
  const end = here.search(/[?#]/);
  return end < 0 ? here : here.slice(0, end);
}

/** The query of a target, with its `?`; empty if there is none. */
export function toQuery(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? '' : target.slice(query);
}
