// What the settings screen asks for: docs/api.md, "The gateway", "Client keys".

import { call } from './client';
import type { Doctor, KeyList } from './types';

export const keys = () => call<KeyList>('GET', '/keys');
export const revokeKey = (name: string) => call<void>('DELETE', `/keys/${encodeURIComponent(name)}`);

export interface LogLine {
  at: string;
  level: string;
  target: string;
  message: string;
  fields: Record<string, unknown>;
}
/** With `live` the upstream is asked for the models of each account. */
export const doctor = (live: boolean) => call<Doctor>('GET', `/doctor?live=${live}`);
export const logs = (lines: number) => call<{ lines: LogLine[] }>('GET', `/logs?lines=${lines}&level=info`);
