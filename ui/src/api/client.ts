// Calls of the control API. An error is an ApiError with the code to match; its sentences are for the person.

import { t } from '../i18n';
import type {
  AccountGone,
  AccountList,
  BeginSignIn,
  ExchangePage,
  KeyCreated,
  Left,
  NewServer,
  Redeemed,
  Refused,
  ResetCredits,
  ServerAdded,
  SettingChange,
  SettingList,
  SignInBegun,
  SignInStage,
  Status,
  UseCredit,
  Verified,
} from './types';

/** What cannot be done, and what to do about it. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string | null,
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** The browser is not let in, or not any more. */
  get isLockedOut(): boolean {
    return this.code === 'session_ended' || this.code === 'control_token_needed';
  }
}

/** What went wrong and what to do about it, in sentences. */
export interface Problem {
  message: string;
  hint: string | null;
}

/** Whatever was thrown, as it is told. */
export function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) return { message: error.message, hint: error.hint };
  return { message: error instanceof Error ? error.message : String(error), hint: null };
}

/** The code of an error of ours that no answer carried: nobody answered. */
export const UNREACHABLE = 'unreachable';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

let onLockedOut: (error: ApiError) => void = () => {};

/** Who is told when an answer says that the session is over. */
export function whenLockedOut(tell: (error: ApiError) => void): void {
  onLockedOut = tell;
}

/** Sends, and throws what is refused. What is answered is still to be read. */
export async function send(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const error = (status: number, code: string, message: string, hint: string | null = null) => {
    const made = new ApiError(status, code, message, hint);
    if (made.isLockedOut) onLockedOut(made);
    return made;
  };
  let response: Response;
  try {
    response = await fetch(`/api${path}`, {
      method,
      // No form can send this header: it shows that a page of ours asks.
      headers: { 'X-Codeferry': '1', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
      redirect: 'error',
    });
  } catch (why) {
    if (signal?.aborted) throw why;
    throw error(0, UNREACHABLE, t('lost.title'), t('lost.restarting'));
  }
  if (response.ok) return response;
  const text = await response.text().catch(() => '');
  const { code, message, hint } = (parse(text) ?? {}) as Partial<Refused>;
  throw error(response.status, code ?? 'unknown', message ?? (text || response.statusText), hint ?? null);
}

export async function call<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const response = await send(method, path, body);
  return parse(await response.text().catch(() => '')) as T;
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const account = (id: string) => `/accounts/${encodeURIComponent(id)}`;

export const status = () => call<Status>('GET', '/status');
export const accounts = () => call<AccountList>('GET', '/accounts');
export const exchanges = (limit: number) => call<ExchangePage>('GET', `/exchanges?limit=${limit}`);

export const switchTo = (id: string) => call<void>('POST', `${account(id)}/switch`);
export const pause = (id: string) => call<void>('POST', `${account(id)}/pause`);
export const resume = (id: string) => call<void>('POST', `${account(id)}/resume`);
export const wake = (id: string) => call<void>('POST', `${account(id)}/wake`);
export const setPriority = (id: string, priority: number) => call<void>('POST', `${account(id)}/priority`, { priority });
export const rename = (id: string, label: string | null) => call<void>('POST', `${account(id)}/label`, { label });
export const remove = (id: string) => call<AccountGone>('DELETE', account(id));
export const verify = (id: string) => call<Verified>('POST', `${account(id)}/verify`);

export const look = (id: string) => call<Left>('POST', `${account(id)}/quota/refresh`);

export const resetCredits = (id: string) => call<ResetCredits>('GET', `${account(id)}/reset-credits`);
/** Cannot be taken back. The same `request` twice uses one. */
export const useResetCredit = (id: string, credit: string, request: string) =>
  consume(id, { confirm: true, credit_id: credit, request_id: request });
const consume = (id: string, wish: UseCredit) => call<Redeemed>('POST', `${account(id)}/reset-credits/consume`, wish);

export const addServer = (server: NewServer) => call<ServerAdded>('POST', '/accounts', server);

const attempt = (id: string) => `/accounts/sign-in/${encodeURIComponent(id)}`;
export const beginSignIn = (wish: BeginSignIn) => call<SignInBegun>('POST', '/accounts/sign-in', wish);
export const signInStage = (id: string) => call<SignInStage>('GET', attempt(id));
export const cancelSignIn = (id: string) => call<void>('DELETE', attempt(id));
export const pasteSignIn = (id: string, text: string) =>
  call<SignInStage>('POST', `${attempt(id)}/callback`, { url_or_code: text });

export const settings = () => call<SettingList>('GET', '/settings');
export const changeSettings = (changes: Record<string, SettingChange>) => call<SettingList>('PATCH', '/settings', changes);

export const makeKey = (name: string) => call<KeyCreated>('POST', '/keys', { name });

export const endSession = () => call<void>('POST', '/session/end');
