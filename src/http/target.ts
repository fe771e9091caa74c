/**
 * Takes the request target (path and query) out of an absolute URL, without the cost of parsing it.
 */

/** The part of an absolute URL after the host: `/metrics?name[]=up`. */
export function toTarget(url: string): string {
  const path = url.indexOf('/', url.indexOf('//') + 2);
  return path < 0 ? '/' : url.slice(path);
}
