// What is asked of a person who adds a server, and what is sent of it. Pure; docs/accounts.md has the presets.

import type { NewServer } from '../../api/types';

export const SERVERS = ['ollama', 'lm-studio', 'vllm', 'openrouter', 'kilo', 'other', 'openai_key'] as const;
export type Server = (typeof SERVERS)[number];

/** What they call themselves. */
export const NAMES = {
  ollama: 'Ollama',
  'lm-studio': 'LM Studio',
  vllm: 'vLLM',
  openrouter: 'OpenRouter',
  kilo: 'Kilo',
} as const;

const ADDRESSES: Partial<Record<Server, string>> = {
  ollama: 'http://127.0.0.1:11434/v1',
  'lm-studio': 'http://127.0.0.1:1234/v1',
  vllm: 'http://127.0.0.1:8000/v1',
  openrouter: 'https://openrouter.ai/api/v1',
  kilo: 'https://api.kilo.ai/api/openrouter',
};

export interface Form {
  server: Server;
  label: string;
  url: string;
  key: string;
  allowHttp: boolean;
  verify: boolean;
}

/** Where it is if nothing else is said. */
export const addressOf = (server: Server): string => ADDRESSES[server] ?? 'https://llm.example.com/v1';

/** What it is called if nothing else is said; others have to be given a name. */
export const labelOf = (server: Server): string => (server === 'other' ? '' : server === 'openai_key' ? 'openai' : server);

export const needsKey = (server: Server): boolean => server === 'openrouter' || server === 'openai_key';

/** Plain HTTP to somewhere else than this machine, which has to be allowed. */
export function isPlain(url: string): boolean {
  if (!URL.canParse(url.trim())) return false;
  const { protocol, hostname } = new URL(url.trim());
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** What is left empty is not sent. */
export function wanted({ server, label, url, key, allowHttp, verify }: Form): NewServer {
  const common = {
    ...(label.trim() === '' ? {} : { label: label.trim() }),
    ...(key.trim() === '' ? {} : { key: key.trim() }),
    verify,
  };
  if (server === 'openai_key') return { kind: 'openai_key', ...common };
  return {
    kind: 'compatible',
    ...common,
    ...(server === 'other' ? {} : { preset: server }),
    ...(url.trim() === '' ? {} : { url: url.trim() }),
    ...(allowHttp && isPlain(url) ? { allow_http: true } : {}),
  };
}
