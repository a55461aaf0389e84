// A client in a person's words.

import { t } from '../i18n';
import type { Client } from '../api/types';
import type { Tone } from '../shared/Mark.svelte';

export function whereabouts(client: Client): { tone: Tone; text: string; more: string | null } {
  switch (client.state) {
    case 'connected':
      return { tone: client.doubts.length > 0 ? 'warn' : 'good', text: t('client.connected'), more: null };
    case 'key_refused':
      return { tone: 'bad', text: t('client.key_refused'), more: t('client.key_refused_what') };
    case 'elsewhere':
      return { tone: 'idle', text: t('client.elsewhere'), more: client.url };
    case 'not_set':
      return { tone: 'idle', text: t('client.not_set'), more: null };
    case 'unreadable':
      return { tone: 'bad', text: t('client.unreadable'), more: client.message };
  }
}

/** What is typed where a client is set up by hand. */
export function variables(url: string, key: string): string {
  return `export ANTHROPIC_BASE_URL=${url}\nexport ANTHROPIC_AUTH_TOKEN=${key}`;
}
