/**
 * What measures LangChain and LangGraph, and nothing else.
 */
export {
  createLangChainHandler,
  type LangChainHandler,
  type LangChainHandlerOptions,
} from '../instrumentation/langchain/handler';
