// Which model a name means: docs/api.md, "Models and routes".

import { call } from './client';
import type { Kind } from './types';

export interface Model {
  model: string;
  name: string;
  description: string | null;
  context_window: number | null;
  max_context_window: number | null;
  usable_tokens: number | null;
  /** The weakest first. */
  efforts: string[];
  default_effort: string | null;
  images: boolean;
  visible: boolean;
  providers: Kind[];
}

/** Where a name leads. */
export interface Target {
  model: string;
  /** `null`: the model decides. */
  effort: string | null;
}

export type RoleName = 'opus' | 'sonnet' | 'haiku' | 'fable' | 'default';

export type Role = Target & {
  role: RoleName;
  /** The catalogue knows the model. */
  listed: boolean;
  set: boolean;
  /** `model` or `model:effort` */
  default: string;
};

export type Alias = Target & { name: string; listed: boolean };

export interface Destination {
  name: string;
  account: string | null;
  model: string;
  effort: string | null;
  reason: string;
}

const role = (name: RoleName) => `/routes/${name}`;
const alias = (name: string) => `/aliases/${encodeURIComponent(name)}`;
const sent = ({ model, effort }: Target) => (effort === null ? { model } : { model, effort });

export const models = () => call<{ models: Model[]; builtin: boolean }>('GET', '/models');
export const routes = () => call<{ roles: Role[]; aliases: Alias[] }>('GET', '/routes');
export const setRole = (name: RoleName, to: Target) => call<void>('PUT', role(name), sent(to));
export const resetRole = (name: RoleName) => call<void>('DELETE', role(name));
export const setAlias = (name: string, to: Target) => call<void>('PUT', alias(name), sent(to));
export const removeAlias = (name: string) => call<void>('DELETE', alias(name));
export const tryName = (name: string, effort: string | null) =>
  call<Destination>('POST', '/routes/try', sent({ model: name, effort }));
