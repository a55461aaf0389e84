// What can be asked about clients, and done with them: docs/api.md, "Clients".

import { call } from './client';
import type { ClientBackup, ClientChanged, ClientList, ClientPlan, ClientVerification } from './types';

/** What a plan leads to. */
export type Aim = 'set_up' | 'revert';

/** A place of a client's, as it is asked for. */
export interface At {
  client: string;
  target: string;
  /** The folder whose settings are looked at, too. */
  project: string | null;
}

const of = (client: string) => `/clients/${encodeURIComponent(client)}`;

function asked(path: string, parameters: Record<string, string | null>): string {
  const given = Object.entries(parameters).filter((pair): pair is [string, string] => pair[1] !== null && pair[1] !== '');
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

export const clients = (project: string | null) => call<ClientList>('GET', asked('/clients', { project }));
export const plan = ({ client, target, project }: At, to: Aim) =>
  call<ClientPlan>('GET', asked(`${of(client)}/plan`, { target, to, project }));
/** Does what was shown, or nothing: `plan` names what was looked at. */
export const setUp = ({ client, target, project }: At, shown: string) =>
  call<ClientChanged>('POST', of(client), { target, plan: shown, ...(project === null ? {} : { project }) });
export const revert = ({ client, target, project }: At, shown: string) =>
  call<ClientChanged>('DELETE', asked(of(client), { target, plan: shown, project }));
/** `live`: with a short request to each model, which the plan pays. */
export const check = ({ client, target, project }: At, live: boolean) =>
  call<ClientVerification>('POST', `${of(client)}/verify`, { target, live, ...(project === null ? {} : { project }) });
/** What was changed by somebody else stays as it is, and is not told of again. */
export const keepDrift = ({ client, target, project }: At) =>
  call<ClientChanged>('POST', `${of(client)}/drift`, { target, do: 'keep', ...(project === null ? {} : { project }) });

const backup = (client: string, id: string) => `${of(client)}/backups/${encodeURIComponent(id)}`;
export const backups = (client: string) => call<{ backups: ClientBackup[] }>('GET', `${of(client)}/backups`);
export const backupDiff = (client: string, id: string) => call<ClientBackup & { diff: string }>('GET', backup(client, id));
export const restore = (client: string, id: string) => call<ClientChanged>('POST', `${backup(client, id)}/restore`);
