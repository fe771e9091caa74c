/**
 * Loads the Pushgateway class when a program first asks for it: most programs push nothing.
 */
import type { RegistryContentType } from '../types';
import type * as Push from './pushgateway';

export declare const Pushgateway: typeof Push.Pushgateway;
export type Pushgateway<T extends RegistryContentType = RegistryContentType> = Push.Pushgateway<T>;

Object.defineProperty(exports, 'Pushgateway', {
  enumerable: true,
  get: () => (require('./pushgateway') as typeof Push).Pushgateway,
});
