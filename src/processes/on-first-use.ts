/**
 * Loads the registries of many processes, and the functions that combine them, when a program first asks for them.
 */
import type * as Aggregation from '../registry/aggregation';
import type { RegistryContentType } from '../types';
import type * as Registries from './registries';

const registries = () => require('./registries') as typeof Registries;

export declare const AggregatorRegistry: typeof Registries.AggregatorRegistry;
export type AggregatorRegistry<T extends RegistryContentType = RegistryContentType> = Registries.AggregatorRegistry<T>;
export declare const ClusterRegistry: typeof Registries.ClusterRegistry;
export type ClusterRegistry<T extends RegistryContentType = RegistryContentType> = Registries.ClusterRegistry<T>;
export declare const WorkerRegistry: typeof Registries.WorkerRegistry;
export type WorkerRegistry<T extends RegistryContentType = RegistryContentType> = Registries.WorkerRegistry<T>;
export declare const aggregators: typeof Aggregation.aggregators;

Object.defineProperties(exports, {
  AggregatorRegistry: { enumerable: true, get: () => registries().AggregatorRegistry },
  ClusterRegistry: { enumerable: true, get: () => registries().ClusterRegistry },
  WorkerRegistry: { enumerable: true, get: () => registries().WorkerRegistry },
  aggregators: {
    enumerable: true,
    get: () => (require('../registry/aggregation') as typeof Aggregation).aggregators,
  },
});
