/**
 * Measures SDKs and frameworks of models and agents, each with the function that a program would call for it. That function's
 * module is loaded when the package makes its first call.
 */
import type * as AiSdk from '../instrumentation/ai-sdk/instrument';
import type * as Anthropic from '../instrumentation/anthropic/instrument';
import type * as GoogleGenAi from '../instrumentation/google-genai/instrument';
import type * as LangChain from '../instrumentation/langchain/handler';
import type * as McpClient from '../instrumentation/mcp/client';
import type * as McpServer from '../instrumentation/mcp/server';
import type * as OpenAi from '../instrumentation/openai/instrument';
import type * as OpenAiAgents from '../instrumentation/openai-agents/processor';
import { isWrapped } from '../instrumentation/patches';
import { read } from '../read';
import { quietly } from '../warnings';
import { beforeEachCall, beforeFirstCall, beforeFirstCallOfEach, definerOf } from './methods';

/** A package that is measured. */
export interface Measured {
  readonly name: string;
  /** The subpaths that have what is needed. @default the package itself */
  readonly parts?: readonly string[];
  /** Beginnings of the specifiers of other packages that load it. @default [] */
  readonly usedBy?: readonly string[];
  /** False if nothing of the package is needed, so that it does not have to be loaded in advance. */
  readonly isNeeded: boolean;
  /** Called with the exports of files of the package. A repeated call does nothing. */
  measure(module: unknown): void;
}

const VERBS = ['post', 'get'];

let isOpenAiFound = false;

const openai: Measured = {
  name: 'openai',
  usedBy: ['@openai/agents'],
  isNeeded: true,
  measure(module) {
    const OpenAI = classOf(module, 'OpenAI');
    isOpenAiFound = true;
    beforeFirstCall(definerOf(read(OpenAI, 'prototype'), 'post'), VERBS, () => {
      const { instrumentOpenAI } = require('../instrumentation/openai/instrument') as typeof OpenAi;
      instrumentOpenAI(OpenAI as OpenAi.OpenAiClassLike);
    });
  },
};

const anthropic: Measured = {
  name: '@anthropic-ai/sdk',
  isNeeded: true,
  measure(module) {
    const Client = classOf(module, 'Anthropic');
    beforeFirstCall(definerOf(read(Client, 'prototype'), 'post'), VERBS, () => {
      const { instrumentAnthropic } = require('../instrumentation/anthropic/instrument') as typeof Anthropic;
      instrumentAnthropic(Client as Parameters<typeof instrumentAnthropic>[0]);
    });
  },
};

/** The internal methods that make one request. */
const GOOGLE_METHODS = [
  'generateContentInternal',
  'generateContentStreamInternal',
  'embedContentInternal',
  'generateImagesInternal',
  'editImageInternal',
  'upscaleImageInternal',
];

const googleGenAi: Measured = {
  name: '@google/genai',
  isNeeded: true,
  measure(module) {
    beforeFirstCallOfEach(read(read(module, 'Models'), 'prototype'), GOOGLE_METHODS, (models) => {
      const { instrumentGoogleGenAI } = require('../instrumentation/google-genai/instrument') as typeof GoogleGenAi;
      const vertexai = read(read(read(models, 'apiClient'), 'clientOptions'), 'vertexai') === true;
      instrumentGoogleGenAI({ models, vertexai } as Parameters<typeof instrumentGoogleGenAI>[0]);
    });
  },
};

type Integration = Readonly<Record<string | symbol, unknown>>;

const realm = globalThis as { AI_SDK_TELEMETRY_INTEGRATIONS?: Integration[] };

/** The SDK keeps its integrations in a list of the realm, and reads their functions at each request. */
const aiSdk: Measured = {
  name: 'ai',
  isNeeded: false,
  measure() {
    realm.AI_SDK_TELEMETRY_INTEGRATIONS ??= [];
    const list = realm.AI_SDK_TELEMETRY_INTEGRATIONS;
    if (list.some((integration) => ours.has(integration))) return;
    let isMade = false;
    let telemetry: Integration | undefined;
    const make = (): void => {
      if (isMade) return;
      isMade = true;
      const { instrumentAiSdk } = require('../instrumentation/ai-sdk/instrument') as typeof AiSdk;
      const known = list.length;
      instrumentAiSdk({ agents: true });
      // Nothing is added if the program has added its own.
      if (list.length > known) telemetry = list.pop();
    };
    const integration: Integration = new Proxy(
      {},
      {
        get(_, key) {
          if (typeof key === 'string') quietly(make);
          const value = telemetry?.[key];
          // Its methods need their own object.
          return typeof value === 'function' ? value.bind(telemetry) : value;
        },
      },
    );
    ours.add(integration);
    list.push(integration);
  },
};

const ours = new WeakSet<object>();

/** Modules to which a processor was added. */
const processed = new WeakSet<object>();

const openaiAgents: Measured = {
  name: '@openai/agents',
  isNeeded: true,
  measure(module) {
    const add = read(module, 'addTraceProcessor');
    if (typeof add !== 'function' || processed.has(add)) return;
    processed.add(add);
    let made: OpenAiAgents.TraceProcessor | undefined;
    const processor = (): OpenAiAgents.TraceProcessor => {
      const { createTraceProcessor } = require('../instrumentation/openai-agents/processor') as typeof OpenAiAgents;
      // The SDK calls its own processor first and waits for it, so it cannot be told that the client's request within a span
      // is the same: the client alone counts requests.
      made ??= createTraceProcessor(isOpenAiFound ? { llm: false } : {});
      return made;
    };
    const done = Promise.resolve();
    const own: OpenAiAgents.TraceProcessor = {
      onTraceStart: () => done,
      onTraceEnd: () => done,
      // Not `async`: the asynchronous context that the processor sets must be that of the SDK.
      onSpanStart: (span) => quietly(() => processor().onSpanStart(span)) ?? done,
      onSpanEnd: (span) => quietly(() => processor().onSpanEnd(span)) ?? done,
      shutdown: () => done,
      forceFlush: () => done,
    };
    add(own);
  },
};

const langchain: Measured = {
  name: '@langchain/core',
  parts: ['callbacks/manager'],
  usedBy: ['@langchain/', 'langchain'],
  isNeeded: true,
  measure(module) {
    let handler: LangChain.LangChainHandler | undefined;
    beforeEachCall(read(module, 'CallbackManager'), '_configureSync', (_, args) => {
      const given = args[0] ?? [];
      // Inside of a run there is a manager, which has the handler already.
      if (!Array.isArray(given)) return;
      const { createLangChainHandler } = require('../instrumentation/langchain/handler') as typeof LangChain;
      handler ??= createLangChainHandler();
      if (!given.includes(handler)) args[0] = [handler, ...given];
    });
  },
};

const mcp: Omit<Measured, 'name'> = {
  isNeeded: true,
  measure(module) {
    beforeFirstCallOfEach(read(read(module, 'Client'), 'prototype'), ['connect'], (client) => {
      const { instrumentMcpClient } = require('../instrumentation/mcp/client') as typeof McpClient;
      if (!isWrapped(read(client, 'callTool'))) instrumentMcpClient(client as McpClient.McpClientLike);
    });
    beforeFirstCallOfEach(read(read(module, 'McpServer'), 'prototype'), ['connect'], (server) => {
      const { instrumentMcpServer } = require('../instrumentation/mcp/server') as typeof McpServer;
      if (!isWrapped(read(read(server, 'server'), 'connect'))) instrumentMcpServer(server as McpServer.McpServerLike);
    });
  },
};

/** The SDKs and frameworks of models and agents. */
export const sdks: readonly Measured[] = [
  openai,
  anthropic,
  googleGenAi,
  aiSdk,
  openaiAgents,
  langchain,
  { ...mcp, name: '@modelcontextprotocol/sdk', parts: ['client/index.js', 'server/mcp.js'] },
  { ...mcp, name: '@modelcontextprotocol/client' },
  { ...mcp, name: '@modelcontextprotocol/server' },
];

/** The class that a module exports by name, as its default, or as itself. */
function classOf(module: unknown, name: string): unknown {
  return [read(module, name), read(module, 'default'), module].find((value) => typeof value === 'function');
}
