/**
 * Exports the same names for `import`, by re-exporting the CommonJS build: both module systems share one registry.
 * Written by hand, unlike the forwarders of the other entries, because Node.js does not see getters of the CommonJS
 * build when it reads the source for export names. An export of an ES module is a value, so `import` reads the getters,
 * and loads the small modules that they load, at once.
 */
import library, { type RegistryContentType } from './index.js';

export * from './index.js';
export default library;
export const AggregatorRegistry: typeof library.AggregatorRegistry = library.AggregatorRegistry;
export type AggregatorRegistry<T extends RegistryContentType = RegistryContentType> = library.AggregatorRegistry<T>;
export const ClusterRegistry: typeof library.ClusterRegistry = library.ClusterRegistry;
export type ClusterRegistry<T extends RegistryContentType = RegistryContentType> = library.ClusterRegistry<T>;
export const WorkerRegistry: typeof library.WorkerRegistry = library.WorkerRegistry;
export type WorkerRegistry<T extends RegistryContentType = RegistryContentType> = library.WorkerRegistry<T>;
export const Pushgateway: typeof library.Pushgateway = library.Pushgateway;
export type Pushgateway<T extends RegistryContentType = RegistryContentType> = library.Pushgateway<T>;
export const aggregators: typeof library.aggregators = library.aggregators;
export const contentType = library.contentType;
