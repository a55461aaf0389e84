// Which requests are asked for, and which live ones belong to them before the log has said so. Pure.

import type { Filter } from '../../api/requests';
import type { Exchange, OpenExchange } from '../../api/types';

export const EVERYTHING: Filter = {
  client: '',
  model: '',
  account: '',
  outcome: '',
  status: '',
  since: '',
  until: '',
  conversation: '',
  q: '',
};

/** A filter as it stands in an address. What asks nothing is left out, so the address of everything is the bare screen. */
export function written(filter: Filter): string {
  return new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== '')).toString();
}

/** The filter of an address. What is not known there is no reason to show nothing. */
export function read(query: string): Filter {
  const given = new URLSearchParams(query);
  const names = Object.keys(EVERYTHING) as (keyof Filter)[];
  return Object.fromEntries(names.map((name) => [name, given.get(name) ?? ''])) as unknown as Filter;
}

/** How many things are asked. A stretch of time is one of them. */
export function asked(filter: Filter): number {
  const { since, until, ...others } = filter;
  return Object.values(others).filter((value) => value !== '').length + (since !== '' || until !== '' ? 1 : 0);
}

const is = (wanted: string, ...values: (string | null | undefined)[]) => wanted === '' || values.includes(wanted);

/** Whether one that is over belongs here. The log decides in the end; it looks at the same. */
export function matches(filter: Filter, exchange: Exchange): boolean {
  return (
    // What is new is not from before.
    filter.until === '' &&
    is(filter.client, exchange.client) &&
    is(filter.model, exchange.model, exchange.asked) &&
    is(filter.account, exchange.account, exchange.account_name) &&
    is(filter.conversation, exchange.conversation) &&
    is(filter.status, exchange.status === null ? null : String(exchange.status)) &&
    (filter.outcome === '' || filter.outcome.split(',').includes(exchange.outcome)) &&
    says(filter.q, exchange.id, exchange.upstream_id, exchange.conversation, exchange.asked, exchange.model, exchange.error, exchange.message)
  );
}

/** Whether one under way belongs here, as far as it is known. How it will end is not. */
export function matchesOpen(filter: Filter, exchange: OpenExchange): boolean {
  return (
    filter.until === '' &&
    filter.outcome === '' &&
    filter.status === '' &&
    filter.conversation === '' &&
    is(filter.client, exchange.client) &&
    is(filter.model, exchange.model, exchange.asked) &&
    is(filter.account, exchange.account) &&
    says(filter.q, exchange.id, exchange.asked, exchange.model)
  );
}

function says(wanted: string, ...texts: (string | null | undefined)[]): boolean {
  const lower = wanted.toLowerCase();
  return wanted === '' || texts.some((text) => text?.toLowerCase().includes(lower) === true);
}
