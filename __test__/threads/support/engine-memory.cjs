// Preloaded into a process and all its threads (`--require`): the library then has the engine allocate the slabs, as it
// must in Electron and wherever else native code may not lend memory.
globalThis[Symbol.for('@llm-devops/prometheus-metrics.engine-memory')] = true;
