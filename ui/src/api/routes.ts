// Which model a name means: docs/api.md, "Models and routes".

import { call } from './client';
import type { Alias, Destination, ModelList, Role as ToldRole, Route } from './types';


export type RoleName = 'opus' | 'sonnet' | 'haiku' | 'fable' | 'default';

/** Where a name is to lead. Without an effort the model decides. */
export type Target = Pick<Route, 'model' | 'effort'>;

export type Role = ToldRole & { role: RoleName };

const role = (name: RoleName) => `/routes/${name}`;
const alias = (name: string) => `/aliases/${encodeURIComponent(name)}`;
const sent = ({ model, effort }: Target) => (effort === null ? { model } : { model, effort });

export const models = () => call<ModelList>('GET', '/models');
export const routes = () => call<{ roles: Role[]; aliases: Alias[] }>('GET', '/routes');
export const setRole = (name: RoleName, to: Target) => call<void>('PUT', role(name), sent(to));
export const resetRole = (name: RoleName) => call<void>('DELETE', role(name));
export const setAlias = (name: string, to: Target) => call<void>('PUT', alias(name), sent(to));
export const removeAlias = (name: string) => call<void>('DELETE', alias(name));
export const tryName = (name: string, effort: string | null) =>
  call<Destination>('POST', '/routes/try', sent({ model: name, effort }));
