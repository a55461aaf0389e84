// Which clients stand where. Pure.

import type { Client } from '../../api/types';

export interface Groups {
  /** There, or set up by us at some time. */
  here: Client[];
  /** Programs that are not there. */
  absent: Client[];
  /** No programs: whatever speaks a language. */
  others: Client[];
}

/** Nobody installs these: programs are written with them. */
const LIBRARIES = ['openai', 'anthropic'];

const ours = (client: Client) => client.targets.some((place) => place.held || place.state === 'ours');

export function grouped(all: readonly Client[]): Groups {
  const groups: Groups = { here: [], absent: [], others: [] };
  for (const client of all) {
    if (client.installed || ours(client)) groups.here.push(client);
    else if (LIBRARIES.includes(client.client)) groups.others.push(client);
    else groups.absent.push(client);
  }
  return groups;
}
