/**
 * Exports the same for `import`.
 */
import collectDefaultMetrics from './defaultMetrics.js';

export default collectDefaultMetrics;
