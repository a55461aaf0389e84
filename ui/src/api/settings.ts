// What the settings screen asks for: docs/api.md, "The gateway", "Client keys".

import { call } from './client';
import type { KeyList } from './types';

export const keys = () => call<KeyList>('GET', '/keys');
export const revokeKey = (name: string) => call<void>('DELETE', `/keys/${encodeURIComponent(name)}`);
