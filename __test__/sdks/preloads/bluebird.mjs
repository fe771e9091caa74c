// Replaces the global `Promise` by bluebird's, as older programs do. The SDKs are loaded first: their promises are classes
// that inherit from `Promise`, and bluebird refuses to be inherited from.

import '@anthropic-ai/sdk';
import '@google/genai';
import '@langchain/langgraph';
import '@langchain/openai';
import '@mastra/core/agent';
import '@modelcontextprotocol/sdk/client/index.js';
import '@openai/agents';
import 'ai';
import 'openai';
import bluebird from 'bluebird';

globalThis.Promise = bluebird;
