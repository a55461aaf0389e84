// A client in a person's words.

import { t } from '../i18n';
import type { ClientConflict, ClientPlace, Client } from '../api/types';
import type { Tone } from '../shared/Mark.svelte';

export interface Standing {
  tone: Tone;
  text: string;
  more: string | null;
}

const WEIGHTS = { note: 0, warning: 1, blocks: 2 } as const;

/** The worst there is of what keeps it away. */
export function worst(conflicts: readonly ClientConflict[]): ClientConflict['weight'] | null {
  return conflicts.reduce<ClientConflict['weight'] | null>(
    (known, { weight }) => (known === null || WEIGHTS[weight] > WEIGHTS[known] ? weight : known),
    null,
  );
}

/** Where a client goes by the settings of a place. */
export function standing(place: ClientPlace): Standing {
  switch (place.state) {
    case 'not_installed':
      return { tone: 'idle', text: t('client.not_installed'), more: null };
    case 'clean':
      return { tone: 'idle', text: t('client.clean'), more: null };
    case 'ours': {
      const weight = worst(place.conflicts);
      if (weight === 'blocks') return { tone: 'bad', text: t('client.blocked'), more: null };
      return { tone: weight === 'warning' ? 'warn' : 'good', text: t('client.ours'), more: null };
    }
    case 'elsewhere':
      return { tone: 'idle', text: t('client.elsewhere'), more: place.url };
    case 'drifted': {
      if (place.accepted) return { tone: 'idle', text: t('client.accepted'), more: null };
      const theirs = place.drifts.some((drift) => drift.by === 'file');
      return { tone: 'warn', text: theirs ? t('client.drifted') : t('client.outdated'), more: null };
    }
    case 'broken':
      return { tone: 'bad', text: t('client.broken'), more: place.why };
  }
}

/** The place that speaks for a client: its owner's own settings, unless something stands elsewhere. */
export function mainPlace(client: Client): ClientPlace | null {
  return client.targets.find((place) => !place.opt_in) ?? client.targets[0] ?? null;
}

/** It comes here, as far as its settings say. */
export const comesHere = (client: Client): boolean =>
  client.targets.some((place) => place.state === 'ours' || (place.state === 'drifted' && place.accepted));

/** It has no file that could be changed: there are lines to copy, or an explanation. */
export const byHand = (client: Client): boolean => client.targets.every((place) => place.files.length === 0);

/** Where there is nothing to copy, the lines only say why. That, as a text. */
export function explanation(client: Client): string | null {
  const lines = client.manual.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0 || !lines.every((line) => line.startsWith('#'))) return null;
  return lines.map((line) => line.replace(/^#+\s*/, '')).join(' ');
}

/** It is there, and can be set up by one click. */
export function canSetUp(client: Client): boolean {
  const place = mainPlace(client);
  return client.installed && place !== null && place.obstacle === null && place.files.length > 0;
}

/** A path as people write it. */
export function homely(path: string, home: string | null): string {
  if (home === null || home === '' || !path.startsWith(home)) return path;
  const rest = path.slice(home.length);
  return rest === '' || /^[/\\]/.test(rest) ? `~${rest}` : path;
}
