/**
 * Exports the callback handler that measures LangChain and LangGraph.
 */
export {
  createLangChainHandler,
  type LangChainHandler,
  type LangChainHandlerOptions,
} from '../instrumentation/langchain/handler';
