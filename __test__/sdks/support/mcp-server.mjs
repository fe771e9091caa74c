// A server of the Model Context Protocol with tools that succeed, fail, hang and die. With the argument `serve` it uses
// stdio.

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';

const said = (text) => ({ content: [{ type: 'text', text }] });

export function toolServer() {
  const server = new McpServer({ name: 'tools', version: '1.0.0' });
  server.registerTool('add', { inputSchema: { a: z.number(), b: z.number() } }, ({ a, b }) => said(String(a + b)));
  server.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text }) => said(text));
  server.registerTool('fail', { inputSchema: { message: z.string() } }, ({ message }) => {
    throw new Error(message);
  });
  server.registerTool('hang', {}, () => new Promise(() => {}));
  server.registerTool('die', {}, () => process.exit(1));
  return server;
}

if (process.argv[2] === 'serve') await toolServer().connect(new StdioServerTransport());
