// What the control API says: docs/api.md. Times are RFC 3339 texts. The types come from the gateway's own ones; here stand
// those that the page sees otherwise.

import type * as sent from './types.gen';

export type * from './types.gen';

/** A row of the request log. An event tells it before it is written: without its place in the log, its price and a name. */
export type Exchange = sent.Exchange & Partial<sent.ExchangeRow>;

/** A change of a setting; `null` brings the default back. */
export type SettingChange = sent.SettingValue | null;

/** A client, as its places say it. */
export type Client = sent.Program;
