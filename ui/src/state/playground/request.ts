// The request that a form makes. Pure.

/** Languages that are spoken here. Only those that the gateway serves. */
export const DIALECTS = ['anthropic'] as const;
export type Dialect = (typeof DIALECTS)[number];

export interface Form {
  dialect: Dialect;
  model: string;
  system: string;
  prompt: string;
  /** A list, in JSON; empty: none. */
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
  return {
    body: {
      model: form.model.trim(),
      max_tokens: form.maxTokens,
      stream: form.stream,
      ...(form.system.trim() === '' ? {} : { system: form.system }),
      ...(tools.length === 0 ? {} : { tools }),
      messages: [{ role: 'user', content: form.prompt }],
    },
  };
}
