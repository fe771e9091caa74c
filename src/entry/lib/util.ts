/**
 * Serves programs that import prom-client's file `lib/util` for the keys of `hashMap`.
 */
export { hashObject } from '../../metrics/peer-members';
