// The request that a form makes. Pure.

import type { Dialect } from '../../api/playground';

export interface Form {
  dialect: Dialect;
  model: string;
  system: string;
  prompt: string;
  /** A list, in JSON and as the dialect has it; empty: none. */
  tools: string;
  maxTokens: number | null;
  stream: boolean;
}

export type Wrong = 'model' | 'prompt' | 'tools_json' | 'tools_list' | 'max_tokens';

export type Made = { body: Record<string, unknown> } | { wrong: Wrong; why: string };

export function made(form: Form): Made {
  const wrong = (what: Wrong, why = ''): Made => ({ wrong: what, why });
  if (form.model.trim() === '') return wrong('model');
  if (form.prompt.trim() === '') return wrong('prompt');
  if (form.maxTokens === null || !Number.isInteger(form.maxTokens) || form.maxTokens < 1) return wrong('max_tokens');
  let tools: unknown = [];
  if (form.tools.trim() !== '') {
    try {
      tools = JSON.parse(form.tools);
    } catch (error) {
      return wrong('tools_json', error instanceof Error ? error.message : '');
    }
  }
  if (!Array.isArray(tools)) return wrong('tools_list');
  const common = { model: form.model.trim(), stream: form.stream, ...(tools.length === 0 ? {} : { tools }) };
  const asking = { role: 'user', content: form.prompt };
  const system = form.system.trim() === '' ? null : form.system;
  if (form.dialect === 'chat') {
    const messages = system === null ? [asking] : [{ role: 'system', content: system }, asking];
    const counted = form.stream ? { stream_options: { include_usage: true } } : {};
    return { body: { ...common, ...counted, max_completion_tokens: form.maxTokens, messages } };
  }
  if (form.dialect === 'responses') {
    const instructions = system === null ? {} : { instructions: system };
    return { body: { ...common, max_output_tokens: form.maxTokens, ...instructions, input: form.prompt } };
  }
  return { body: { ...common, max_tokens: form.maxTokens, ...(system === null ? {} : { system }), messages: [asking] } };
}

/** The same as a program sends it: where to, and with which headers. */
export function wire(dialect: Dialect): { line: string; headers: string[] } {
  const headers = ['content-type: application/json'];
  if (dialect === 'chat') return { line: 'POST /v1/chat/completions HTTP/1.1', headers };
  if (dialect === 'responses') return { line: 'POST /v1/responses HTTP/1.1', headers };
  return { line: 'POST /v1/messages HTTP/1.1', headers: [...headers, 'anthropic-version: 2023-06-01'] };
}
