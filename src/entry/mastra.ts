/**
 * Exports the exporter that measures Mastra.
 */
export {
  createMastraExporter,
  type MastraExporter,
  type MastraExporterOptions,
  type MastraTracingEvent,
} from '../instrumentation/mastra/exporter';
export type { MastraSpanLike } from '../instrumentation/mastra/span';
